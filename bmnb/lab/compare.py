"""An independent comparison of origin and target after a migration.

It shares no code with what migrates: it lists both servers with scripts of its own and compares the lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bmnb.errors import BmnbError

Runner = Callable[[str], str]
"""Runs a script on a server as root, returns its output, raises where it fails."""

TREES = [
    *(
        "/var/spool/cyrus",
        "/var/lib/cyrus",
        "/var/spool/bm-hsm",
        "/var/spool/sieve",
        "/var/spool/bm-elasticsearch",
    ),
    *("/var/spool/bm-docs", "/var/spool/bm-filehosting"),
    *("/var/spool/bm-hollowed", "/var/spool/bm-mapi", "/var/spool/bm-replication"),
]
CONFIGURATION = [
    *("/etc/bm", "/etc/bm-hps", "/etc/ssl/certs/bm_cert.pem", "/var/lib/bm-ca", "/etc/bm-webmail"),
    *("/usr/share/bm-elasticsearch/config/elasticsearch.yml", "/etc/imapd.conf", "/etc/cyrus.conf"),
    *("/etc/cyrus-admins", "/etc/cyrus-partitions", "/etc/cyrus-replication", "/etc/cyrus-proxypassword"),
    *("/etc/postfix/main.cf", "/etc/postfix/master.cf", "/etc/aliases", "/etc/postfix/relay_passwd"),
    *("/etc/nginx/sw.htpasswd", "/etc/nginx/bm-local.d"),
]
MAPS = ["virtual_domains", "virtual_mailbox", "virtual_alias", "transport", "master_relay_transport"]


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same: what kind, which one, how it is on each side."""

    kind: str
    name: str
    origin: str
    target: str


FILES = Path(__file__).with_name("compare_files.py")


def compare(origin: Runner, target: Runner) -> list[Difference]:
    """All differences. Raise BmnbError where a side lists nothing: such a comparison could not fail."""
    return [*files(origin, target), *databases(origin, target), *maps(origin, target)]


def files(
    origin: Runner, target: Runner, places: Iterable[str] = (*TREES, *CONFIGURATION)
) -> list[Difference]:
    """Compare every path: type, size, mtime in nanoseconds, mode, owner by name, links, content, attributes."""
    script = f"python3 - {' '.join(places)} <<'BMNB-LIST'\n{FILES.read_text()}\nBMNB-LIST\n"
    return _differences("file", *(_listed(run(script)) for run in (origin, target)))


def _listed(output: str) -> dict[str, str]:
    rows = (json.loads(line) for line in output.splitlines())
    return {path: json.dumps(facts, sort_keys=True) for path, facts in rows}


def databases(origin: Runner, target: Runner) -> list[Difference]:
    """Compare schema, settings, sequences, large objects, and each table by rows and an order-free sum."""
    found: list[Difference] = []
    for database in origin(NAMES).splitlines():
        for kind, script in (("schema", SCHEMA), ("database", FACTS), ("table", TABLES)):
            text = script.replace("@", f'"{database}"' if kind == "schema" else database)
            theirs, ours = (_lines(database, run(text)) for run in (origin, target))
            found += _differences(kind, theirs, ours)
    return found


def _lines(database: str, output: str) -> dict[str, str]:
    pairs = (line.partition("\t") for line in output.splitlines() if line.strip())
    return {f"{database}: {name}": value for name, _, value in pairs}


# pg_dump's own comments, settings and \restrict lines differ between its versions, and so does how it names
# the owners of sequences and views
SCHEMA = r"""cd / && runuser -u postgres -- pg_dump --schema-only @ \
  | grep -vE '^(--|SET |\\(un)?restrict |SELECT pg_catalog.set_config|$)' \
  | sed -E 's/^ALTER (TABLE|SEQUENCE|VIEW) (.*) OWNER TO/ALTER RELATION \2 OWNER TO/' | sort | uniq -c | awk '{n=$1; $1=""; print $0 "\t" n}'
"""

NAMES = """cd / && runuser -u postgres -- psql -XAtc "SELECT datname FROM pg_database WHERE datname IN ('bj', 'bj-data', 'keycloak')\""""

PSQL = "cd / && runuser -u postgres -- psql -XAtq -F '\t' -v ON_ERROR_STOP=1"

FACTS = f"""{PSQL} '@' <<'END'
SELECT 'owner', pg_get_userbyid(datdba) FROM pg_database WHERE datname = '@';
SELECT 'encoding', pg_encoding_to_char(encoding) || ' ' || lower(datcollate) FROM pg_database WHERE datname = '@';
SELECT 'setting', array_to_string(setconfig, ',') FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
  WHERE datname = '@';
SELECT 'extension ' || extname, n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace;
SELECT 'invalid index ' || indexrelid::regclass, 'invalid' FROM pg_index WHERE NOT indisvalid;
SELECT 'sequence ' || sequencename, coalesce(last_value::text, 'unused') FROM pg_sequences WHERE schemaname = 'public';
SELECT 'large object ' || oid, pg_get_userbyid(lomowner) || ' ' || md5(lo_get(oid)) FROM pg_largeobject_metadata;
END
"""

# The sum of the first 60 bits of each row's MD5: the same on every version, whatever the order of the rows.
TABLES = f"""{PSQL} '@' <<'END'
SET timezone = 'GMT'; SET extra_float_digits = 1;
SELECT format('SELECT %L, count(*) || '' rows, sum '' || coalesce(sum((''x'' || substr(md5(t::text), 1, 15))::bit(60)::bigint)::text, ''0'') FROM %s t',
  c.oid::regclass::text, c.oid::regclass)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = 'public' ORDER BY 1 \\gexec
END
"""


def maps(origin: Runner, target: Runner) -> list[Difference]:
    """Compare Postfix's maps by what they hold: .db files differ in bytes, -flat files in the order of lines."""
    script = "\n".join(
        f"cd /etc/postfix; [ ! -f {name}.db ] || postmap -s {name} | sed 's/^/{name}.db /'; "
        f"[ ! -f {name}-flat ] || sed 's/^/{name}-flat /' {name}-flat"
        for name in MAPS
    )
    sides = ({f"{line}": "is there" for line in run(script).splitlines()} for run in (origin, target))
    return _differences("map", *sides)


def _differences(kind: str, origin: dict[str, str], target: dict[str, str]) -> list[Difference]:
    if not origin or not target:
        raise BmnbError(
            f"nothing was listed to compare ({kind}): {len(origin)} on the origin, {len(target)} on the target"
        )
    return [
        Difference(kind, name, origin.get(name, "absent"), target.get(name, "absent"))
        for name in sorted(origin.keys() | target.keys())
        if origin.get(name) != target.get(name)
    ]
