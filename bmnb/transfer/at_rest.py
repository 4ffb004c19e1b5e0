"""What shows that nothing was written on the stopped origin since the verification began to look at it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shlex import quote

from bmnb.transfer.databases import named
from bmnb.transfer.programs import postgres

# PostgreSQL's log and transaction numbers go on by themselves, with a checkpoint or an ANALYZE in the background;
# rows of tables change by statements alone. A crash begins the counts anew, at another time. Where nothing is
# counted nothing is analyzed by itself either.
_COUNTS = """SELECT current_database(), stats_reset, CASE WHEN current_setting('track_counts')::bool THEN (
  SELECT concat_ws(' ', sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del)) FROM pg_stat_all_tables
  WHERE relid = 'pg_largeobject'::regclass OR schemaname !~ '^(pg_|information_schema)'
) ELSE txid_snapshot_xmax(txid_current_snapshot())::text END
FROM pg_stat_database WHERE datname = current_database()"""


# less the seconds that it is up: that goes back only where the clock does, after which what is written has a time
# from before the mark
_BOOTED = "read -r up _ < /proc/uptime; printf -v booted '%(%s)T' -1; booted=$((booted - ${up%.*}))"
ROUNDING = 2
"""Seconds."""
PUT_BACK = "the clock was put back: what was written since cannot be told by its time"


def _writes(databases: Sequence[str]) -> str:
    """A line that prints of each database that is there how many rows were ever inserted, updated and deleted."""
    asked = f"""names=$({named(databases)}) && for name in $names; do
  ( cd / && runuser -u postgres -- psql -XAtc "$counts" -d "$name" ) || exit; done"""
    return f"( {asked} )"


def remember(folder: str, databases: Sequence[str]) -> str:
    """A line that starts PostgreSQL, and remembers this moment and what was written to the databases until now."""
    return f"""umask 077; {postgres.START_UNIT} && touch {folder}/verified || exit
counts={quote(_COUNTS)}
{_BOOTED}
{{ echo "$booted"; {_writes(databases)}; }} > {folder}/writes"""


def changed_files(folder: str, places: Sequence[str], globs: Iterable[str] = (), gently: str = "") -> str:
    """A line that prints what was changed since in the places, some of it."""
    files = " ".join((*map(quote, places), *globs))
    return f"""test -e {folder}/verified || exit 2
set -o pipefail; shopt -s nullglob; there=(); for place in {files}; do [ ! -e "$place" ] || there+=("$place"); done
[ ${{#there[@]}} -eq 0 ] || {gently}find "${{there[@]}}" -cnewer {folder}/verified -print | sed -n 1,20p || exit 2"""


def changed(folder: str, places: Sequence[str], globs: Iterable[str], databases: Sequence[str]) -> str:
    """A line that prints what was changed since in the places, some of it, and which database was written to.

    Of the globs those count that match.
    """
    return f"""test -s {folder}/writes || exit 2
{changed_files(folder, places, globs)}
{_BOOTED}; read -r before < {folder}/writes && [ "$before" -gt 0 ] || exit 2
[ $((booted + {ROUNDING})) -ge "$before" ] || echo {quote(PUT_BACK)}
counts={quote(_COUNTS)}
now=$( {_writes(databases)} ) || exit 2
diff <(sed 1d {folder}/writes) - <<< "$now" > {folder}/written; [ $? -le 1 ] || exit 2
sed -n 's/^> \\([^|]*\\).*/database \\1/p' {folder}/written"""
