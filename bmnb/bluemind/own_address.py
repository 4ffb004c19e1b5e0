"""BlueMind under another address: what its page on changing a server's address has done, less what the console does.

Source: "Changement d'adresse IP d'un serveur BlueMind" (knowledge base of BlueMind's documentation).
"""

import json
import re
from collections.abc import Sequence
from shlex import quote

from bmnb.bluemind.paths import ADDED_CONFIGURATION, BM_INI, CONFIGURATION
from bmnb.steps import Result, Verdict

REPLICATION = "/etc/cyrus-replication"
ELASTICSEARCH = "/usr/share/bm-elasticsearch/config/elasticsearch.yml"
BACKUPS = "/var/backups/bluemind/dp_spool/rsync"
IN_DATABASE = "host", "hz-member-address"

ELSEWHERE = (
    "/etc/hosts",
    "/etc/init.d/bm-iptables",
    "/etc/bm-*",
    "/etc/nginx/*",
    "/etc/postfix/*",
    "/etc/telegraf/*",
)
"""Where an address may stand beside the files that were copied."""


def what_changes(old: str) -> str:
    """A line that prints what of bm.ini is to change, and how many servers of the database have the old address."""
    query = f"SELECT 'server ' || count(*) FROM t_server WHERE ip = '{old}'"
    return f"""sed -n -E 's/^ *(host|hz-member-address) *=.*/bm.ini \\1/p' {BM_INI}
cd / && runuser -u postgres -- psql -XAtq -d bj -c {quote(query)}"""


def can_be_changed(told: Result) -> Verdict:
    """`in_ini` and `in_database` find what they change, each once."""
    have = told.stdout.splitlines()
    wrong = [one for one in ("bm.ini host", "bm.ini hz-member-address", "server 1") if have.count(one) != 1]
    return Verdict(not wrong, f"not there, or not once: {', '.join(wrong)}" if wrong else ", ".join(have))


def in_ini(new: str) -> str:
    return f"""sed -i -E 's/^( *(host|hz-member-address) *= *).*/\\1{new}/' {BM_INI}
[ "$(grep -cE '^ *(host|hz-member-address) *= *{_dots(new)} *$' {BM_INI})" = 2 ]"""


def in_replication(new: str) -> str:
    return f"""sed -i -E 's/^( *core_sync_host *: *).*/\\1{new}/' {REPLICATION}
grep -qE '^ *core_sync_host *: *{_dots(new)} *$' {REPLICATION}"""


def names(file: str, address: str) -> str:
    """A line that holds where the file names the address."""
    return f"grep -sqE {quote(_whole(address))} {file}"


def in_elasticsearch(old: str, new: str) -> str:
    # twice, since two addresses may share the sign between them
    swap = f"s/{_whole(old)}/\\1{new}\\2/g"
    return f"sed -i -E -e {quote(swap)} -e {quote(swap)} {ELASTICSEARCH}"


_DOMAINS = "SELECT name, key, value FROM t_domain, each(properties) WHERE key LIKE 'OPENID\\_%'"
_HAS_PROPERTIES = "EXISTS (SELECT FROM information_schema.columns WHERE table_name = 't_domain' AND column_name = 'properties')"
"""From 5.x on a domain says by its properties where Keycloak answers for it."""


def in_database(old: str, new: str) -> str:
    """What the core knows of its servers and of Keycloak, and where the webmail up to 4.x finds its users' mail."""
    # twice, as in `in_elasticsearch`
    swapped = "value"
    for _ in range(2):
        swapped = f"regexp_replace({swapped}, '{_whole(old)}', '\\1{new}\\2', 'g')"
    pairs = ", ".join(f"'{word}'" for key in IN_DATABASE for word in (key, new))
    return f"""cd / && runuser -u postgres -- psql -X -q -v ON_ERROR_STOP=1 --single-transaction -d bj <<'END'
UPDATE t_server SET ip = '{new}' WHERE ip = '{old}';
UPDATE t_systemconf SET configuration = configuration || hstore(ARRAY[{pairs}]);
SELECT $$UPDATE rc_users SET mail_host = '{new}' WHERE mail_host = '{old}'$$
WHERE to_regclass('rc_users') IS NOT NULL \\gexec
SELECT $$UPDATE t_domain SET properties = properties || moved FROM (
  SELECT name AS domain, hstore(array_agg(key), array_agg({swapped})) AS moved
  FROM ({_DOMAINS} AND value ~ '{_whole(old)}') AS found GROUP BY name
) AS domains WHERE name = domain$$
WHERE {_HAS_PROPERTIES} \\gexec
END"""


def rename_backups(old: str, new: str) -> str:
    """DataProtect keeps a server's files in a folder that is named after its address."""
    return f"mv -T {BACKUPS}/{old} {BACKUPS}/{new}"


def backups_of(address: str, instead: str) -> str:
    return f"[ -d {BACKUPS}/{address} ] && [ ! -e {BACKUPS}/{instead} ]"


_HISTORY = "'event_entity', 'admin_event_entity'"
"""What Keycloak keeps of logins and changes, with the addresses they came from."""


def what_names(address: str, keycloak: str) -> str:
    """A line that prints, as JSON, what names the address: files, and places in the databases.

    Where Keycloak keeps addresses is in no page of BlueMind's: all columns of its database with text are looked at.
    """
    paths = " ".join(dict.fromkeys((*CONFIGURATION, *ADDED_CONFIGURATION, *ELSEWHERE)))
    whole = _whole(address)
    bj = f"""SELECT 'system configuration: ' || key FROM t_systemconf, each(configuration) WHERE value ~ '{whole}' ORDER BY key;
SELECT $$SELECT 'domain ' || name || ': ' || key FROM t_domain, each(properties) WHERE value ~ '{whole}' ORDER BY 1$$
WHERE {_HAS_PROPERTIES} \\gexec"""
    named = "table_schema = 'public' AND data_type IN ('text', 'character varying')"
    columns = f"""SELECT format('SELECT %L WHERE EXISTS (SELECT FROM %I WHERE %I ~ %L)',
  '{keycloak}: ' || table_name || '.' || column_name, table_name, column_name, '{whole}')
FROM information_schema.columns WHERE {named} AND table_name NOT IN ({_HISTORY}) ORDER BY 1 \\gexec"""
    there = f"SELECT 1 FROM pg_database WHERE datname = '{keycloak}'"
    psql = "runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d"
    return f"""set -o pipefail; shopt -s nullglob
files=$(grep -rlIsE -- {quote(whole)} {paths}); [ $? -le 2 ] || exit 3
cd / && keys=$({psql} bj <<'END'
{bj}
END
) && has=$({psql} postgres -c {quote(there)}) || exit 3
[ -z "$has" ] || keys+=$'\\n'$({psql} {keycloak} <<'END'
{columns}
END
) || exit 3
python3 -c 'import json, sys; print(json.dumps([one.split("\\n") for one in sys.argv[1:]]))' "$files" "$keys\""""


def names_nowhere(told: Result) -> Verdict:
    files, places = json.loads(told.stdout)
    found = [one for one in (*files, *places) if one]
    items = tuple({"item": one, "what": "names the old address"} for one in found)
    return Verdict(not found, ", ".join(found) or "nothing names it", items)


def show(old: str, new: str) -> str:
    """A line that prints where the new address stands now: bm.ini, replication, database; and where the old one does."""
    return f"""sed -n -E 's/^ *(host|hz-member-address) *= *{_dots(new)} *$/bm.ini \\1/p' {BM_INI}
cd / && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d bj <<'END'
SELECT 'server ' || count(*) FROM t_server WHERE ip = '{new}';
SELECT 'database ' || key FROM t_systemconf, each(configuration) WHERE value = '{new}';
SELECT $$SELECT '{OLD} domain ' || name || ': ' || key FROM ({_DOMAINS} AND value ~ '{_whole(old)}') AS found$$
WHERE {_HAS_PROPERTIES} \\gexec
END"""


OLD = "the old one:"


def stands_everywhere(told: Result) -> Verdict:
    have = told.stdout.splitlines()
    wanted = [f"{where} {key}" for where in ("bm.ini", "database") for key in IN_DATABASE]
    missing = _missing(["server 1", *wanted], have)
    old = [one for one in have if one.startswith(OLD)]
    said = [*([f"missing: {', '.join(missing)}"] if missing else []), *old]
    return Verdict(not said, "; ".join(said) or ", ".join(sorted(have)))


def _missing(wanted: Sequence[str], have: Sequence[str]) -> list[str]:
    return [one for one in wanted if one not in have]


def _whole(address: str) -> str:
    """The address as an extended regular expression, and not as a part of a longer one."""
    return f"(^|[^0-9.]){_dots(address)}([^0-9]|$)"


def _dots(address: str) -> str:
    return re.escape(address)
