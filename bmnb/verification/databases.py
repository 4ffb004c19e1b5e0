"""What a database is, as lines that must be the same on both servers whatever their PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from shlex import quote
from typing import Any

from bmnb.steps import Result, Row, Verdict
from bmnb.transfer import access
from bmnb.transfer.databases import locale_there
from bmnb.transfer.programs.carry_database import COLLATIONS
from bmnb.transfer.programs.large_objects import CONTENT
from bmnb.transfer.programs.postgres import AS_POSTGRES, PLAIN_TEXT, by_name, hash_of_row
from bmnb.verification.files import PROGRAMS
from bmnb.verification.items import differing

_OLD, _NEW = (hash_of_row(oldest, "%2$s") for oldest in (100000, 110000))

# One fact a line as JSON: kind, name, value. From PostgreSQL 12 on floats print in another way unless
# extra_float_digits is 0. The sum of the hashes of the rows is the same in whatever order they are.
FACTS = rf"""
{PLAIN_TEXT};
SELECT CASE WHEN :oldest < 120000 THEN 0 ELSE 1 END AS digits, :oldest < 110000 AS old \gset
SET extra_float_digits = :digits;

CREATE TEMP VIEW ours AS
  SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e');

SELECT json_build_array('database', 'owner', pg_get_userbyid(datdba)) FROM pg_database WHERE datname = current_database();
SELECT json_build_array('database', 'encoding', pg_encoding_to_char(encoding)) FROM pg_database WHERE datname = current_database();
SELECT json_build_array('extension', extname, 'installed') FROM pg_extension;
SELECT json_build_array('invalid index', o.name, 'invalid') FROM pg_temp.ours o JOIN pg_index ON indexrelid = o.oid WHERE NOT indisvalid;
SELECT json_build_array('sequence', format('%I.%I', schemaname, sequencename), coalesce(last_value::text, 'unused')) FROM pg_sequences;
SELECT json_build_array('large object', oid::text, concat_ws(' ', pg_get_userbyid(lomowner), {CONTENT},
    (SELECT string_agg(each::text, ' ' ORDER BY each::text COLLATE "C") FROM unnest(lomacl) each),
    obj_description(oid, 'pg_largeobject'))) FROM pg_largeobject_metadata m;

\if :whole
SELECT format($$SELECT json_build_array('table', %1$L, count(*) || ' rows, sum ' || (coalesce(sum(hash), 0) %% %3$s + %3$s) %% %3$s)
    FROM (SELECT $$ || CASE WHEN :'old' THEN $${_OLD}$$ ELSE $${_NEW}$$ END || $$ AS hash FROM %4$s %1$s bmnb_row) hashed$$,
    name, every, 18446744073709551616, one)
  FROM (SELECT name, {by_name("o.oid")} AS every, CASE relkind WHEN 'r' THEN 'ONLY' END AS one
    FROM pg_temp.ours o WHERE relkind IN ('r', 'p') AND NOT relispartition) tables ORDER BY name \gexec
\endif
"""


TOLD = f"{AS_POSTGRES}pg_dump --schema-only --no-publications --no-subscriptions"


def definitions_there(database: str) -> str:
    """The line by which the origin tells its definitions; PostgreSQL 9 has none of what is left out."""
    without = "$(pg_dump --help | grep -o -e '--no-publications' -e '--no-subscriptions')"
    return f"{AS_POSTGRES}pg_dump --schema-only {without} {database}"


def tell_definitions(folder: str, origin: str, database: str, named: str) -> str:
    """A line for the target that tells all definitions of the origin's database by the target's own pg_dump.

    They are restored beside, unless they are what they were the last time. So what a newer PostgreSQL adds, orders or
    writes in another way is no difference, and no kind of definition is left out. `named` is the name by now of the
    target's copy.
    """
    there = f"{access.ssh(folder)} root@{origin} {quote(definitions_there(database))}"
    beside, file = f"{database}_bmnb_definitions", f"{folder}/definitions-{database}"
    drop = f"( {AS_POSTGRES}dropdb --if-exists {beside} )"
    ask = f"locale=$({locale_there(named)})"
    create = f'( {AS_POSTGRES}createdb -O bj -E UTF8 -l "$locale" -T template0 {beside} )'
    # those of locales that came after PostgreSQL
    collations = f"""( {AS_POSTGRES}psql -Xq -o /dev/null -d {beside} -c "{COLLATIONS}" )"""
    # each dump has a word of its own there
    told = r"sed '/^\\\(un\)\{0,1\}restrict /d'"
    same = (
        f"[ -s {file}.origin ] && [ -s {file}.known ] && cmp -s <({told} {file}.known) <({told} {file}.new)"
    )
    return f"""umask 077; cd {folder} && {there} > {file}.new || exit
if ! {{ {same}; }}; then
  {drop} && {ask} && {create} && {collations} || exit
  ( {AS_POSTGRES}psql -Xq -o /dev/null -d {beside} ) < {file}.new || exit
  ( {TOLD} {beside} ) > {file}.restored && {drop} && mv {file}.restored {file}.origin || exit
fi
mv {file}.new {file}.known"""


def compare_definitions(folder: str, origin: str, database: str) -> str:
    """A line for the target that compares all definitions of a database, and leaves what differs.

    Where something does, the origin's are restored anew the next time.
    """
    file = f"{folder}/definitions-{database}"
    return f"""{tell_definitions(folder, origin, database, database)} || exit
( {TOLD} {database} ) > {file}.target || exit
python3 -m {PROGRAMS.name}.definitions {file}.origin {file}.target > {file} || exit
[ "$(wc -l < {file})" -eq 1 ] || rm {file}.known"""


def show_definitions(folder: str, database: str) -> str:
    return f"cat {folder}/definitions-{database}"


def count_ahead(folder: str, database: str, named: str, oldest: str) -> str:
    """A line that reads the rows of a database while it is in use, so that later what has changed is read alone.

    `named` is its name by now; `oldest` as in `facts`.
    """
    return f"umask 077; mkdir -p {folder}/sums && {_oldest(oldest)} && {_count(folder, database, named)} > /dev/null"


def _count(folder: str, database: str, named: str) -> str:
    return f"(cd {folder} && python3 -m programs.sums {named} sums/{database} $oldest)"


def _oldest(oldest: str) -> str:
    return f"oldest=$({oldest} < /dev/null)"


def facts(folder: str, database: str, oldest: str) -> str:
    """A line that writes the facts of a database into the run's folder; the statements come in as input.

    Where its rows were read ahead, those on pages that have not changed since are not read again.
    `oldest` is a line that prints the number of the older PostgreSQL, which is the origin's.
    """
    file, ahead = f"{folder}/facts-{database}", f"{folder}/sums/{database}/state"
    options = "-v ON_ERROR_STOP=1 -v oldest=$oldest -v whole=$whole"
    psql = f"psql -XAtq {options} -d {database}"
    return f"""umask 077; {_oldest(oldest)} || exit
whole=1; [ ! -e {ahead} ] || whole=0
({AS_POSTGRES}{psql}) > {file}.new && ([ $whole = 1 ] || {_count(folder, database, database)} >> {file}.new) && mv {file}.new {file}"""


def show(folder: str, database: str) -> str:
    return f"cat {folder}/facts-{database}"


def same_facts(database: str, origin: Result, target: Result, definitions: Result) -> Verdict:
    """`definitions` is what the comparison of those has left."""
    theirs, ours = _read(origin), _read(target)
    if not theirs or not (origin.ok and target.ok):
        return Verdict(False, (origin.stderr + target.stderr).strip() or "nothing was told of the origin")
    *other, (compared,) = _told(definitions)
    before = theirs.pop(BEFORE, ""), ours.pop(BEFORE, "")
    tables = [name for kind, name in theirs if kind == "table"]
    rows = sum(_rows(theirs, name) or 0 for name in tables)
    items = [*_items(theirs, ours), *_definitions(other)]
    same = (
        f"{len(tables):,} tables, {rows:,} rows, {compared:,} definitions "
        f"and {len(theirs) - len(tables):,} other facts are the same"
    )
    if any(before):
        there, here = (int(pages or 0) for pages in before)
        same += (
            f"; rows on {there:,} pages of the origin and {here:,} of the target were read before the downtime "
            "and have not changed since"
        )
    row = {"database": database, "tables": len(tables), "rows": rows}
    return replace(differing(items, same), row=row, parts=tuple(_tables(database, theirs, ours)))


BEFORE = "read before", "pages"
"""What each server tells of itself alone."""

Facts = dict[tuple[str, str], str]


def _told(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.split("\n") if line]


def _read(told: Result) -> Facts:
    """Values by kind and name."""
    return {(kind, name): value for kind, name, value in _told(told)}


def _rows(told: Facts, table: str) -> int | None:
    """How many rows a table has; None where it is not there."""
    value = told.get(("table", table))
    return None if value is None else int(value.split(" ")[0])


def _tables(database: str, theirs: Facts, ours: Facts) -> Iterator[Row]:
    for table in sorted({name for kind, name in (*theirs, *ours) if kind == "table"}):
        same = theirs.get(("table", table)) == ours.get(("table", table))
        counted = {"rows": _rows(theirs, table), "target rows": _rows(ours, table), "same": same}
        yield {"database": database, "table": table, "how": "compared", **counted}


def _items(theirs: Facts, ours: Facts) -> Iterator[Row]:
    for kind, name in sorted(theirs.keys() | ours.keys()):
        there, here = theirs.get((kind, name), "absent"), ours.get((kind, name), "absent")
        if there != here:
            yield {"item": name, "what": kind, "origin": there, "target": here}


def _definitions(told: list[Any]) -> Iterator[Row]:
    for kind, name, there, here in told:
        yield {"item": name, "what": f"definition of {kind}", "origin": there, "target": here}
