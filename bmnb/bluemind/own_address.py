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


def in_database(old: str, new: str) -> str:
    """What the core knows of its servers, where the webmail up to 4.x finds its users' mail, where logins by OpenID go."""
    pairs = ", ".join(f"'{word}'" for key in IN_DATABASE for word in (key, new))
    return f"""cd / && runuser -u postgres -- psql -X -q -v ON_ERROR_STOP=1 --single-transaction -d bj <<'END'
UPDATE t_server SET ip = '{new}' WHERE ip = '{old}';
UPDATE t_systemconf SET configuration = configuration || hstore(ARRAY[{pairs}]);
SELECT $$UPDATE rc_users SET mail_host = '{new}' WHERE mail_host = '{old}'$$
WHERE to_regclass('rc_users') IS NOT NULL \\gexec
SELECT $$UPDATE t_domain SET properties = regexp_replace(properties::text, '{_whole(old)}', '\\1{new}\\2', 'g')::hstore$$
FROM information_schema.columns WHERE (table_name, column_name, udt_name) = ('t_domain', 'properties', 'hstore') \\gexec
END"""


def rename_backups(old: str, new: str) -> str:
    """DataProtect keeps a server's files in a folder that is named after its address."""
    return f"mv -T {BACKUPS}/{old} {BACKUPS}/{new}"


def backups_of(address: str, instead: str) -> str:
    return f"[ -d {BACKUPS}/{address} ] && [ ! -e {BACKUPS}/{instead} ]"


def what_names(address: str) -> str:
    """A line that prints, as JSON, the files, and what in the database names the address."""
    paths = " ".join(dict.fromkeys((*CONFIGURATION, *ADDED_CONFIGURATION, *ELSEWHERE)))
    query = (
        f"SELECT 'system configuration: ' || key FROM t_systemconf, each(configuration) WHERE value ~ '{_whole(address)}' "
        f"UNION ALL SELECT 'domain: ' || name FROM t_domain d WHERE to_jsonb(d)::text ~ '{_whole(address)}' ORDER BY 1"
    )
    return f"""set -o pipefail; shopt -s nullglob
files=$(grep -rlIsE -- {quote(_whole(address))} {paths}); [ $? -le 2 ] || exit 3
keys=$(cd / && runuser -u postgres -- psql -XAtq -d bj -c {quote(query)}) || exit 3
python3 -c 'import json, sys; print(json.dumps([one.splitlines() for one in sys.argv[1:]]))' "$files" "$keys\""""


def names_nowhere(told: Result) -> Verdict:
    found = [one for told_of in json.loads(told.stdout) for one in told_of]
    items = tuple({"item": one, "what": "names the old address"} for one in found)
    return Verdict(not found, ", ".join(found) or "nothing names it", items)


def show(new: str) -> str:
    """A line that prints where the new address stands now: bm.ini, replication, database."""
    query = (
        f"SELECT 'server ' || count(*) FROM t_server WHERE ip = '{new}' UNION ALL "
        f"SELECT 'database ' || key FROM t_systemconf, each(configuration) WHERE value = '{new}'"
    )
    return f"""sed -n -E 's/^ *(host|hz-member-address) *= *{_dots(new)} *$/bm.ini \\1/p' {BM_INI}
cd / && runuser -u postgres -- psql -XAtq -d bj -c {quote(query)}"""


def stands_everywhere(told: Result) -> Verdict:
    have = told.stdout.splitlines()
    wanted = [f"{where} {key}" for where in ("bm.ini", "database") for key in IN_DATABASE]
    missing = _missing(["server 1", *wanted], have)
    return Verdict(not missing, f"missing: {', '.join(missing)}" if missing else ", ".join(sorted(have)))


def _missing(wanted: Sequence[str], have: Sequence[str]) -> list[str]:
    return [one for one in wanted if one not in have]


def _whole(address: str) -> str:
    """The address as an extended regular expression, and not as a part of a longer one."""
    return f"(^|[^0-9.]){_dots(address)}([^0-9]|$)"


def _dots(address: str) -> str:
    return re.escape(address)
