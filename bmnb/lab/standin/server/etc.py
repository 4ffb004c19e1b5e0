"""The configuration files of a server, as its setup wizard and its administrators leave them."""

from __future__ import annotations

import random
import shutil
import subprocess
import uuid
from pathlib import Path

from . import cyrus
from .client import DOMAINS, EXTERNAL_URL, SERVER_UID, partition
from .here import facts, has_cyrus, variant

PRIVATE = 0o400
CYRUS = "cyrus:mail"


def write(path: str, content: str | bytes, mode: int = 0o644, owner: str = "root:root") -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    file.chmod(mode)
    shutil.chown(file, *owner.split(":"))


def write_all(role: str, ip: str, drawn: random.Random) -> None:
    """Write everything but Postfix's files."""
    token = str(uuid.UUID(int=drawn.getrandbits(128)))
    _bm(role, ip, token, drawn)
    _elasticsearch(role, ip)
    if variant().cyrus:
        _hps(role)
        _cyrus(role, ip, token)
    _webmail(role)
    _certificates(role)
    _subscription()
    _nginx(role)


def _bm(role: str, ip: str, token: str, drawn: random.Random) -> None:
    password = f"{drawn.getrandbits(64):x}" if variant().generated_password else "bj"
    settings = f"""[global]
external-url = {EXTERNAL_URL}
external-protocol=https
dbtype = PGSQL
host = {ip}
db = bj
user = bj
password = {password}
port = 5432
hz-member-address = {ip}
"""
    write("/etc/bm/bm.ini", settings, 0o640, "root:bluemind")
    write("/etc/bm/bm-core.tok", token, 0o440, "root:bluemind")
    write("/etc/bm/mcast.id", str(uuid.UUID(int=drawn.getrandbits(128))))
    write("/etc/bm/server.uid", SERVER_UID)
    lines = [f"{one.uid}:{EXTERNAL_URL}:{one.name}:\n" for one in DOMAINS]
    write("/etc/bm/domains-settings", "".join(lines if role != "target" else lines[:1]))
    for name in ("bm.jks", "nodeclient_keystore.jks", "nodeclient_truststore.jks", "nodeclient_key.pem"):
        write(f"/etc/bm/{name}", drawn.getrandbits(8 * 2048).to_bytes(2048, "little"), PRIVATE)
    write("/etc/bm/default/bm-core.ini", "MEM=2000\n")
    write_monitoring(ip)
    write("/etc/bm/.installed", f"{role}\n", 0o600)
    if role != "target":
        write("/etc/bm/local/bm-tika.ini", "MEM=512\nDMEM=128\n")
        write(f"/etc/bm/{'bm-tika' if has_cyrus() else 'bm-ysnp'}.disabled", "")


def write_monitoring(ip: str) -> None:
    """What `bm-cli tick reconfigure` writes; only that it names the server is played."""
    write("/etc/bm-tick/bm-tick.conf", f"core = {ip}\n")


def _elasticsearch(role: str, ip: str) -> None:
    text = f"""cluster.name: bluemind-{role}
node.name: {SERVER_UID}
network.host: ["127.0.0.1", "{ip}"]
path.data: /var/spool/bm-elasticsearch/data
path.repo: /var/spool/bm-elasticsearch/repo
"""
    write("/usr/share/bm-elasticsearch/config/elasticsearch.yml", text, 0o640, "root:elasticsearch")


def _hps(role: str) -> None:
    write("/etc/bm-hps/bm-upstream-hps.conf", "server 127.0.0.1:8079;\n")
    write("/etc/bm-hps/mappings.ini", f"# single sign-on of the {role}\n", 0o640)
    write("/etc/bm-hps/krb5.ini", "[libdefaults]\n  default_realm = EXAMPLE.ORG\n")
    write("/etc/bm-hps/hps.keytab", f"keytab of the {role}\n", 0o600)


def _cyrus(role: str, ip: str, token: str) -> None:
    name = partition(DOMAINS[0])
    settings, services = (cyrus.IMAPD, cyrus.CONF) if has_cyrus() else (IMAPD, CYRUS_CONF)
    write("/etc/imapd.conf", settings.format(name=name, role=role), 0o640, CYRUS)
    write("/etc/cyrus.conf", services)
    for part, text in {
        "admins": "admins: admin0 bmhiddensysadmin\n",
        "annotations": "/vendor/blue-mind/replication/id,mailbox,string,backend,value.priv,\n",
        "hsm": "archive_enabled: 1\narchive_days: 365\n",
        "partitions": partitions(),
        "proxypassword": f"proxy-{role}\n",
        "replication": replication(ip, token),
    }.items():
        write(f"/etc/cyrus-{part}", text, 0o640, CYRUS)


IMAPD = """configdirectory: /var/lib/cyrus
defaultpartition: {name}
partition-default: /var/spool/cyrus/data/{name}
virtdomains: userid
unixhierarchysep: yes
sievedir: /var/spool/sieve
servername: {role}
@include: /etc/cyrus-admins
@include: /etc/cyrus-partitions
@include: /etc/cyrus-replication
@include: /etc/cyrus-hsm
@include: /etc/cyrus-annotations
"""

CYRUS_CONF = """START {
  recover cmd="/usr/sbin/ctl_cyrusdb -r"
}
SERVICES {
  imap cmd="imapd -U 30" listen="1143" prefork=0 maxchild=100
  lmtp cmd="lmtpd" listen="localhost:24" prefork=0 maxchild=20
  sieve cmd="timsieved" listen="2000" prefork=0 maxchild=20
}
EVENTS {
  delprune cmd="/usr/sbin/cyr_expire -E 3 -X 7" at=0401
}
"""


def partitions() -> str:
    """Three lines a domain."""
    folders = {"": "cyrus/data", "meta": "cyrus/meta", "archive": "bm-hsm/cyrus-archives"}
    names = [partition(domain) for domain in DOMAINS]
    lines = [
        f"{kind}partition-{name}:/var/spool/{at}/{name}\n" for name in names for kind, at in folders.items()
    ]
    return "".join(lines)


def replication(ip: str, token: str) -> str:
    return f"""sync_log: 1
sync_log_channels: core
core_sync_authname: admin0
core_sync_password: {token}
core_sync_host: {ip}
core_sync_port: 2501
"""


def _webmail(role: str) -> None:
    write("/etc/bm-webmail/nginx-webmail.conf", f"# webmail of the {role}\n")
    write("/etc/bm-webmail/bm-filehosting.conf", f"# file hosting of the {role}\n")
    write("/etc/bm-webmail/bm-php5-fpm.conf", f"; pool of the {role}\n[webmail]\nlisten = 127.0.0.1:9000\n")


def _certificates(role: str) -> None:
    """A CA, and a certificate with its key and chain in one file, as BlueMind wants it."""
    Path("/var/lib/bm-ca").mkdir(exist_ok=True)
    script = f"""set -e
cd /var/lib/bm-ca
umask 077
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=BlueMind CA of the {role}' -keyout cakey.pem -out cacert.pem
openssl req -newkey rsa:2048 -nodes -subj '/CN={EXTERNAL_URL}' -keyout key.pem -out request.pem
openssl x509 -req -in request.pem -days 1825 -CA cacert.pem -CAkey cakey.pem -set_serial 1 -out cert.pem
cat cert.pem key.pem cacert.pem > /etc/ssl/certs/bm_cert.pem
rm key.pem request.pem
chmod 644 cacert.pem cert.pem
chmod 640 /etc/ssl/certs/bm_cert.pem
mkdir -p -m 755 /etc/bm/certs
cp -a /etc/ssl/certs/bm_cert.pem /etc/bm/certs/
[ {role} = target ] || cp -a /etc/ssl/certs/bm_cert.pem /etc/ssl/certs/bm_cert-{DOMAINS[1].uid}.pem
"""
    subprocess.run(["bash", "-c", script], capture_output=True, check=True)


def subscription() -> str:
    """The signed head of the repository's file of this distribution."""
    return f"""# customer: Example
# code: {random.Random(EXTERNAL_URL).getrandbits(32):08x}
# kind: PROD
# distribution: {facts()["release"]}
# starts: 1767225600000
# ends: 1893456000000
"""


def _subscription() -> None:
    """The repository's file; its line is off, so that apt asks nobody."""
    write("/etc/apt/sources.list.d/bm.list", subscription() + "# deb file:/var/spool/bluemind-pkgs ./\n")


def _nginx(role: str) -> None:
    name = Path("/etc/nginx/sw.htpasswd")
    command = ["htpasswd", "-bc", str(name), "admin", f"setup-{role}"]
    subprocess.run(command, capture_output=True, check=True)
    name.chmod(0o640)
    shutil.chown(name, "root", "www-data")
    write("/etc/nginx/bm-local.d/client.conf", f"# extension of the {role}\nadd_header X-Client example;\n")
    Path("/etc/nginx/sites-enabled/default").unlink(missing_ok=True)
    subprocess.run(["/usr/share/bm-client-access/bin/configure-nginx.sh"], check=True)
    subprocess.run(["systemctl", "restart", "nginx"], check=True)
