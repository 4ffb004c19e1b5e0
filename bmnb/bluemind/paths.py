"""Where BlueMind keeps a client's data and configuration on a server."""

TREES = (
    "/var/spool/cyrus",
    "/var/lib/cyrus",
    "/var/spool/bm-hsm",
    "/var/spool/sieve",
    "/var/spool/bm-elasticsearch",
    "/var/spool/bm-docs",
    "/var/spool/bm-filehosting",
)
"""The document's seven trees, in its order."""

ADDED_TREES = {
    "/var/spool/bm-hollowed": "BlueMind's own disaster recovery restores it: the directory as webserver and milter see it",
    "/var/spool/bm-mapi": "state of Outlook's connections; BlueMind's page on high availability shares it",
    "/var/spool/bm-replication": "bodies that Cyrus replicates, on 4.0 about a quarter of the mail",
    "/var/spool/bm-core/rules": "mail rules of 5.x, which took the place of the sieve tree",
}
"""Trees that the document forgets, each with the reason to carry it where the origin has it."""

QUEUE = "/var/spool/postfix"

QUEUES = ("maildrop", "incoming", "active", "deferred", "defer", "hold")
"""Queues under /var/spool/postfix with mail that was accepted and not yet delivered, and why not."""

CONFIGURATION = (
    "/etc/bm/*",
    "/etc/bm/bm.ini",
    "/etc/bm-hps/*",
    "/etc/ssl/certs/bm_cert.pem",
    "/var/lib/bm-ca/*",
    "/usr/share/bm-elasticsearch/config/elasticsearch.yml",
    "/etc/imapd*",
    "/etc/cyrus*",
    "/etc/postfix/main.cf",
    "/etc/postfix/master.cf",
    "/etc/postfix/master_relay_transport-flat",
    "/etc/postfix/master_relay_transport.db",
    "/etc/postfix/transport-flat",
    "/etc/postfix/transport.db",
    "/etc/postfix/virtual_alias-flat",
    "/etc/postfix/virtual_alias.db",
    "/etc/postfix/virtual_domains-flat",
    "/etc/postfix/virtual_domains.db",
    "/etc/postfix/virtual_mailbox-flat",
    "/etc/postfix/virtual_mailbox.db",
    "/etc/bm-webmail/*",
)
"""The document's files to copy, in its order, without the backslashes of its export."""

ADDED_CONFIGURATION = {
    "/etc/ssl/certs/bm_cert-*.pem": "certificates of single domains stand beside the global one",
    "/etc/nginx/bm-local.d/*": "the client's own extensions of BlueMind's virtual host",
    "/etc/nginx/sw.htpasswd": "without it the setup wizard is open to everyone; its password is in the database",
    "/etc/bm-keycloak/*": "keytabs of the domains that log in by Kerberos, which Keycloak of 5.x reads there",
    "/etc/aliases": "main.cf refers to it",
    "/etc/postfix/relay_passwd": "main.cf of a relay with a password refers to it",
}
"""Files that the document forgets, each with the reason to carry it where the origin has it."""

POSTFIX_MAPS = tuple(path for path in CONFIGURATION if path.endswith(".db"))

DATABASES = {"bj": "db.sql", "bj-data": "db-data.sql"}
"""Each database with the document's name of its dump."""

KEYCLOAK = "keycloak"
"""How Keycloak's database of 5.x is called unless the settings say otherwise; BlueMind tells its name in no public page."""


def dump_of(database: str) -> str:
    """The file of its dump."""
    return DATABASES.get(database, f"db-{database}.sql")


BM_INI = "/etc/bm/bm.ini"
TOKEN = "/etc/bm/bm-core.tok"


def ini(key: str) -> str:
    """A command line that prints a value of bm.ini, where spaces around the = are optional."""
    return f"sed -n 's/^ *{key} *= *//p' {BM_INI}"
