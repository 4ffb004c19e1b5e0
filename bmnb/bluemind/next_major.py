"""What BlueMind's page on the major update asks of a platform of version 4, and what it says does not come along.

What it leaves open is said where it is used: on which file system an archive's free space must be is not told, so it
is asked of that of the spool.
"""

from __future__ import annotations

from collections.abc import Iterable

from bmnb.bluemind.hardware import MINIMUM_GIB, SHARE
from bmnb.steps import Condition, Result, Row, Verdict

POSTGRESQL = "/var/lib/postgresql"
SPOOL = "/var/spool/cyrus/data"
TIKA = "/etc/bm/local/bm-tika.ini"
TIKA_MEMORY = {"MEM": 2028, "DMEM": 128}
"""In MB, as the page of 5.6 has them."""

FLAG = "/etc/bm/pg.need.postupgrade"
POST_UPGRADE = "bm-postgresql-postupgrade"
"""What BlueMind's package of PostgreSQL leaves to do when it is installed, and the unit that does it."""


def _psql(query: str) -> str:
    return f'cd / && runuser -u postgres -- psql -XAtc "{query}" bj'


SHARE_OF_POSTGRESQL = f"! test -d {POSTGRESQL} || df -B1 --output=size,used {POSTGRESQL} | tail -n 1"
"""A line that prints how large the file system of PostgreSQL's data is and how much of it is used, where it has any."""


def _two_numbers(servers: Iterable[Result]) -> list[tuple[str, int, int]]:
    """Host and the two numbers that it has told; of one that has nothing to tell, nothing."""
    words = [(one.host, one.stdout.split()) for one in servers if one.stdout.strip()]
    return [(host, int(first), int(second)) for host, (first, second) in words]


def less_than_half(*servers: Result) -> Verdict:
    rows = _two_numbers(servers)
    told = [f"{100 * used / size:.0f} % on {host}" for host, size, used in rows]
    return Verdict(bool(rows) and all(2 * used < size for _, size, used in rows), ", ".join(told) or "none")


# of a file system that is used for less than twice what is free, it need not be counted
ROOM_OF_ARCHIVE = f"""! test -d {SPOOL} || {{ read -r free used <<< "$(df -B1 --output=avail,used {SPOOL} | tail -n 1)"
[ $((2 * free)) -ge "$used" ] || used=$(du -sB1 {SPOOL} | cut -f 1); echo "$free $used"; }}"""
"""A line that prints the free bytes of the spool's file system, and at most what the spool takes."""


def has_archive(core: str) -> Condition:
    kind = _psql("SELECT configuration -> 'archive_kind' FROM t_systemconf")
    return Condition(
        core,
        f'kind=$({kind}) || exit 2; [ -n "$kind" ] && [ "$kind" != none ]',
        "there is no archive",
    )


def room_for_archive(*servers: Result) -> Verdict:
    rows = _two_numbers(servers)
    told = [
        f"{free / 1e9:,.1f} GB free on {host}, the spool has {used / 1e9:,.1f} GB"
        for host, free, used in rows
    ]
    return Verdict(all(2 * free >= used for _, free, used in rows), "; ".join(told) or "no spool")


HARDWARE = "nproc && awk '/^MemTotal:/ {print $2}' /proc/meminfo"


def large_enough(told: Result) -> Verdict:
    cores, memory = (int(word) for word in told.stdout.split())
    gib = memory / (1 << 20)
    short: tuple[Row, ...] = ({"item": "memory", "what": f"{gib:.0f} GiB of {MINIMUM_GIB}"},)
    return Verdict(
        gib >= SHARE * MINIMUM_GIB,
        f"{cores} cores, {gib:.0f} GiB",
        () if gib >= SHARE * MINIMUM_GIB else short,
    )


USES_CAS = _psql(
    "SELECT DISTINCT key FROM t_systemconf, each(configuration) WHERE lower(value) = 'cas' OR (key LIKE 'cas%' AND value <> '')"
)
"""A line that prints the keys of a configuration of CAS; how 4 names them is not published."""


def has_cas(core: str) -> Condition:
    return Condition(core, f'found=$({USES_CAS}) || exit 2; [ -n "$found" ]', "nobody logs in by CAS")


SHARED_MAILBOXES = _psql("SELECT count(*) FROM t_mailbox m WHERE to_jsonb(m)::text LIKE '%mailshare%'")


def told_number(told: Result) -> str:
    return f"shared mailboxes: {told.stdout.strip()}"


def unmanaged_nginx(server: str) -> Condition:
    """Holds where nginx hands requests on and no package of BlueMind has configured it."""
    return Condition(
        server,
        "! dpkg-query -W -f '${db:Status-Status}' bm-client-access 2> /dev/null | grep -q '^installed' && "
        "! rpm -q bm-client-access > /dev/null 2>&1 && nginx -T 2> /dev/null | grep -qE '^ *(proxy_pass|upstream) '",
        "BlueMind's package configures nginx there, or there is none",
    )


def has_tika(server: str) -> Condition:
    return Condition(
        server,
        "dpkg-query -W -f '${db:Status-Status}' bm-tika 2> /dev/null | grep -q '^installed' || rpm -q bm-tika > /dev/null 2>&1",
        "no Tika on this server",
    )


def give_tika_memory(folder: str) -> str:
    """Write Tika's memory; values of the client's that are larger stay, and so does each other line."""
    lines = "\n".join(
        f"now=$(sed -nE 's/^{name}=([0-9]+).*/\\1/p' \"$new\" | tail -n 1)\n"
        f'[ "${{now:-0}}" -ge {value} ] || {{ sed -i \'/^{name}=/d\' "$new"; echo {name}={value} >> "$new"; }}'
        for name, value in TIKA_MEMORY.items()
    )
    return f"""mkdir -p {folder} "$(dirname {TIKA})" || exit 1
[ -e {folder}/tika-before ] || [ -e {folder}/tika-none ] || {{ if [ -e {TIKA} ]; then cp -p {TIKA} {folder}/tika-before; else : > {folder}/tika-none; fi; }}
new=$(mktemp {TIKA}.XXXXXX) && chmod 644 "$new" || exit 1
[ ! -e {TIKA} ] || cat {TIKA} > "$new"
{lines}
mv "$new" {TIKA}; cat {TIKA}"""


def take_tika_memory_back(folder: str) -> str:
    return f"""if [ -e {folder}/tika-before ]; then cp -p {folder}/tika-before {TIKA} || exit 1
elif [ -e {folder}/tika-none ]; then rm -f {TIKA}; fi
rm -f {folder}/tika-before {folder}/tika-none"""


POSTGRESQL_AT_REST = (
    f"! test -e {FLAG} && ! systemctl -q is-active {POST_UPGRADE} && "
    "{ ! test -d " + POSTGRESQL + " || systemctl is-active postgresql; }"
)
"""A line that holds once PostgreSQL's own update has ended."""

POSTGRESQL_AWAY = "! runuser -u postgres -- psql -XAtc 'SELECT 1' bj > /dev/null"
