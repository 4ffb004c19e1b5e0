"""The plan's commands are the document's, less the deviations that the notebook declares."""

import re
from pathlib import Path

import pytest

from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.steps import Command, singles

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "changing-distributions.ipynb"

# The document's command lines in its order, with the backslashes of its export undone.
DOCUMENT = """
bmctl stop
service postfix stop
rsync -avH --delete root@origsrv.domain.tld:/var/spool/cyrus/ /var/spool/cyrus/
rsync -avH --delete root@origsrv.domain.tld:/var/lib/cyrus/ /var/lib/cyrus/
rsync -avH --delete root@origsrv.domain.tld:/var/spool/bm-hsm/ /var/spool/bm-hsm/
rsync -avH --delete root@origsrv.domain.tld:/var/spool/sieve/ /var/spool/sieve/
rsync -avH --delete root@origsrv.domain.tld:/var/spool/bm-elasticsearch/ /var/spool/bm-elasticsearch/
rsync -avH --delete root@origsrv.domain.tld:/var/spool/bm-docs/ /var/spool/bm-docs/
rsync -avH --delete root@origsrv.domain.tld:/var/spool/bm-filehosting/ /var/spool/bm-filehosting
bmctl stop
service postfix stop
rsync -avH --delete root@origsrv.domain.tld:/var/spool/cyrus/ /var/spool/cyrus/
rsync -avH --delete root@origsrv.domain.tld:/var/lib/cyrus/ /var/lib/cyrus/
rsync -avH --delete root@origsrv.domain.tld:/var/spool/bm-hsm/ /var/spool/bm-hsm/
rsync -avH --delete root@origsrv.domain.tld:/var/spool/sieve/ /var/spool/sieve/
rsync -avH --delete root@origsrv.domain.tld:/var/spool/bm-elasticsearch/ /var/spool/bm-elasticsearch/
rsync -avH --delete root@origsrv.domain.tld:/var/spool/bm-docs/ /var/spool/bm-docs/
rsync -avH --delete root@origsrv.domain.tld:/var/spool/bm-filehosting/ /var/spool/bm-filehosting
ssh root@origsrv.domain.tld "PGPASSWORD=bj pg_dump -U bj -h localhost bj" > /tmp/db.sql
ssh root@origsrv.domain.tld "PGPASSWORD=bj pg_dump -U bj -h localhost bj-data" > /tmp/db-data.sql
scp -r root@origsrv.domain.tld:/etc/bm/* /etc/bm
scp root@origsrv.domain.tld:/etc/bm/bm.ini /etc/bm/bm.ini
scp -r root@origsrv.domain.tld:/etc/bm-hps/* /etc/bm-hps
scp root@origsrv.domain.tld:/etc/ssl/certs/bm_cert.pem /etc/ssl/certs/bm_cert.pem
scp -r root@origsrv.domain.tld:/var/lib/bm-ca/* /var/lib/bm-ca
scp root@origsrv.domain.tld:/usr/share/bm-elasticsearch/config/elasticsearch.yml /usr/share/bm-elasticsearch/config/elasticsearch.yml
scp root@origsrv.domain.tld:/etc/imapd* /etc/
scp root@origsrv.domain.tld:/etc/cyrus* /etc/
scp root@origsrv.domain.tld:/etc/postfix/main.cf /etc/postfix/main.cf
scp root@origsrv.domain.tld:/etc/postfix/master.cf /etc/postfix/master.cf
scp root@origsrv.domain.tld:/etc/postfix/master_relay_transport-flat /etc/postfix/master_relay_transport-flat
scp root@origsrv.domain.tld:/etc/postfix/master_relay_transport.db /etc/postfix/master_relay_transport.db
scp root@origsrv.domain.tld:/etc/postfix/transport-flat /etc/postfix/transport-flat
scp root@origsrv.domain.tld:/etc/postfix/transport.db /etc/postfix/transport.db
scp root@origsrv.domain.tld:/etc/postfix/virtual_alias-flat /etc/postfix/virtual_alias-flat
scp root@origsrv.domain.tld:/etc/postfix/virtual_alias.db /etc/postfix/virtual_alias.db
scp root@origsrv.domain.tld:/etc/postfix/virtual_domains-flat /etc/postfix/virtual_domains-flat
scp root@origsrv.domain.tld:/etc/postfix/virtual_domains.db /etc/postfix/virtual_domains.db
scp root@origsrv.domain.tld:/etc/postfix/virtual_mailbox-flat /etc/postfix/virtual_mailbox-flat
scp root@origsrv.domain.tld:/etc/postfix/virtual_mailbox.db /etc/postfix/virtual_mailbox.db
scp root@origsrv.domain.tld:/etc/bm-webmail/* /etc/bm-webmail/
dropdb bj
dropdb bj-data
createdb bj
createdb bj-data
cat /tmp/db.sql | psql -U bj -h localhost bj
cat /tmp/db-data.sql | psql -U bj -h localhost bj-data
""".strip().splitlines()

# The document's way of writing, and the words under which the notebook declares why ours differs.
DEVIATIONS = [
    (r"rsync -avH --delete (.*bm-filehosting)$", r"rsync -avH --delete \1/", "rsync -avH --delete"),
    (
        r"rsync -avH --delete",
        "rsync -aHAX --sparse --delete --modify-window=-1 --no-inc-recursive --timeout=600 --stats --info=progress2",
        "rsync -avH --delete",
    ),
    (r"PGPASSWORD=bj", "PGPASSWORD=BM.INI", "`PGPASSWORD` set to `bj`"),
    (r"/tmp/(db\S*\.sql)", r"/var/lib/bmnb/example/\1", "/tmp/db.sql"),
    (
        r"^cat (\S+) \| psql -U bj -h localhost (\S+)",
        r"cat \1 | PGPASSWORD=BM.INI psql SAFE -U bj -h localhost \2_bmnb_import",
        "psql",
    ),
    (r"^(dropdb|createdb) (\S+)", r"\1 \2_bmnb_import", "dropdb bj"),
    (
        r"^scp \S+:/etc/postfix/(\S+)\.db \S+",
        r"cd /etc/postfix && postmap \1-flat && mv \1-flat.db \1.db",
        "postmap",
    ),
    (r"^scp -r (\S+)/\* (\S+)", r"mkdir -p \2 && COPY \1/ \2/", "scp -r"),
    (r"^scp (\S+)/etc/bm-webmail/\* (\S+)/$", r"mkdir -p \2 && COPY \1/etc/bm-webmail/ \2/", "scp"),
    (r"^scp (\S+\*) (\S+)", r"COPY '\1' \2", "scp"),
    (r"^scp (\S+) ((\S+)/[^/]+)$", r"mkdir -p \3 && COPY \1 \2", "scp"),
]

# How our lines are written in the same words.
WORDS = [
    (r"ssh -F /var/lib/bmnb/example/ssh_config", "ssh"),
    (r"^umask 077; ", ""),
    (r"PGPASSWORD=\\?\$\(sed -n 's/\^ \*password \*= \*//p' /etc/bm/bm\.ini\)", "PGPASSWORD=BM.INI"),
    (r"rsync -aAX --copy-links --ignore-times --modify-window=-1", "COPY"),
    (r"psql -X -q -v ON_ERROR_STOP=1 --single-transaction -o /dev/null", "psql SAFE"),
    (r"^cd / && runuser -u postgres -- ", ""),
    (r"^dropdb --if-exists", "dropdb"),
    (r"^createdb -O bj -E UTF8 -l en_US\.UTF-8 -T template0", "createdb"),
]


def written(line: str, rules: list[tuple[str, ...]]) -> str:
    for rule in rules:
        line = re.sub(rule[0], rule[1], line)
    return line


def plan() -> list[str]:
    settings = Settings(engine="literal")
    return [
        written(action.line, WORDS)
        for step in PROCEDURE.steps
        for action in singles(step.actions(settings))
        if isinstance(action, Command)
    ]


def test_every_line_of_the_document_is_in_the_plan_in_its_order():
    # rebuilt maps come after the copied files, and drop, create, import go database by database
    place = {line: number for number, line in reversed(list(enumerate(plan())))}
    missing = [line for line in DOCUMENT if written(line, DEVIATIONS) not in place]
    assert missing == []


def test_both_synchronizations_have_the_documents_trees_in_its_order():
    trees = [written(line, DEVIATIONS) for line in DOCUMENT if line.startswith("rsync")]
    ours = [line for line in plan() if line in set(trees)]
    assert ours == trees


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (
            "bmctl stop",
            "rsync -aHAX --sparse --delete --modify-window=-1 --no-inc-recursive --timeout=600 --stats --info=progress2 root@origsrv.domain.tld:/var/spool/cyrus/",
        ),
        ("ssh root@", "mkdir -p /etc/bm && COPY"),
        ("mkdir -p /etc/bm-webmail", "dropdb"),
        ("dropdb bj_bmnb_import", "createdb bj_bmnb_import"),
        ("createdb bj_bmnb_import", "cat /var/lib/bmnb/example/db.sql"),
    ],
)
def test_one_comes_before_the_other(first: str, then: str):
    lines = plan()
    places = [next(n for n, line in enumerate(lines) if line.startswith(word)) for word in (first, then)]
    assert places == sorted(places)


def test_every_deviation_is_declared():
    declared = " ".join(one.document + one.here for one in PROCEDURE.deviations)
    assert [rule[2] for rule in DEVIATIONS if rule[2] not in declared] == []


def test_every_deviation_is_used():
    unused = [
        rule
        for rule in DEVIATIONS
        if not any(
            re.search(rule[0], written(line, DEVIATIONS[: DEVIATIONS.index(rule)])) for line in DOCUMENT
        )
    ]
    assert unused == []
