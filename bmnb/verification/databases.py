"""What a database is, as lines that must be the same on both servers whatever their PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bmnb.steps import Result, Row, Verdict
from bmnb.verification.items import differing

# One line a fact: kind, name, value, parted by tabs. Texts of rows depend on these settings, and from
# PostgreSQL 12 on floats print in another way unless extra_float_digits is 0. The definitions of views are
# written differently by each version, so their columns are told.
FACTS = r"""
SET timezone = 'GMT'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex';
SET extra_float_digits = 0; SET client_encoding = 'UTF8'; SET search_path = pg_catalog;

CREATE TEMP VIEW ours AS
  SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e');

SELECT 'database', 'owner', pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database();
SELECT 'database', 'encoding', pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database();
SELECT 'extension', extname, 'installed' FROM pg_extension;
SELECT 'relation', name, relkind::text || ' of ' || pg_get_userbyid(relowner) FROM pg_temp.ours WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f');
SELECT 'columns', o.name, string_agg(format('%I %s%s%s', attname, format_type(atttypid, atttypmod),
    CASE WHEN attnotnull THEN ' not null' END, ' default ' || pg_get_expr(adbin, adrelid)), ', ' ORDER BY attnum)
  FROM pg_temp.ours o JOIN pg_attribute ON attrelid = o.oid AND attnum > 0 AND NOT attisdropped
  LEFT JOIN pg_attrdef ON adrelid = o.oid AND adnum = attnum WHERE relkind IN ('r', 'p', 'v', 'm', 'f') GROUP BY 2;
SELECT 'index', o.name, pg_get_indexdef(o.oid) FROM pg_temp.ours o WHERE relkind IN ('i', 'I');
SELECT 'invalid index', o.name, 'invalid' FROM pg_temp.ours o JOIN pg_index ON indexrelid = o.oid WHERE NOT indisvalid;
SELECT 'constraint', o.name || ' ' || conname, pg_get_constraintdef(k.oid)
  FROM pg_temp.ours o JOIN pg_constraint k ON conrelid = o.oid WHERE contype IN ('p', 'u', 'f', 'c', 'x');
SELECT 'trigger', o.name || ' ' || tgname, tgenabled::text || ' ' || tgfoid::regproc FROM pg_temp.ours o
  JOIN pg_trigger ON tgrelid = o.oid WHERE NOT tgisinternal;
SELECT 'function', p.oid::regprocedure, md5(prosrc) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
  WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e');
SELECT 'type', format('%I.%I', n.nspname, typname), (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum
  WHERE enumtypid = t.oid) FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
  WHERE typtype = 'e' AND n.nspname NOT LIKE 'pg\_%';
SELECT 'sequence', format('%I.%I', schemaname, sequencename), coalesce(last_value::text, 'unused') FROM pg_sequences;
SELECT 'large object', oid, pg_get_userbyid(lomowner) || ' ' || md5(lo_get(oid)) FROM pg_largeobject_metadata;

-- The sum of the hashes of the rows is the same in whatever order they are. PostgreSQL has this hash from 11 on.
\if :whole
\set row_hash 'hashtextextended((bmnb_row.*)::text COLLATE "C", 0)'
SELECT :oldest < 110000 AS old \gset
\if :old
  \set row_hash '(\'x\' || left(md5((bmnb_row.*)::text), 16))::bit(64)::bigint'
\endif
SELECT format($$SELECT 'table', %1$L, count(*) || ' rows, sum ' || (coalesce(sum(%2$s), 0) %% %3$s + %3$s) %% %3$s
    FROM %4$s %1$s bmnb_row$$, name, :'row_hash', 18446744073709551616, CASE relkind WHEN 'r' THEN 'ONLY' END)
  FROM pg_temp.ours WHERE relkind IN ('r', 'p') AND NOT relispartition ORDER BY name \gexec
\endif
"""


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
    psql = f"runuser -u postgres -- psql -XAtq -F $'\\t' {options} -d {database}"
    return f"""umask 077; {_oldest(oldest)} || exit
whole=1; [ ! -e {ahead} ] || whole=0
(cd / && {psql}) > {file}.new && ([ $whole = 1 ] || {_count(folder, database, database)} >> {file}.new) && mv {file}.new {file}"""


def show(folder: str, database: str) -> str:
    return f"cat {folder}/facts-{database}"


def same_facts(database: str, origin: Result, target: Result) -> Verdict:
    theirs, ours = _read(origin), _read(target)
    if not theirs or not (origin.ok and target.ok):
        return Verdict(False, (origin.stderr + target.stderr).strip() or "nothing was told of the origin")
    before = theirs.pop(BEFORE, ""), ours.pop(BEFORE, "")
    tables = [value for (kind, _), value in theirs.items() if kind == "table"]
    rows = sum(int(value.split(" ")[0]) for value in tables)
    items = list(_items(theirs, ours))
    same = f"{len(tables):,} tables, {rows:,} rows and {len(theirs) - len(tables):,} other facts are the same"
    if any(before):
        there, here = (int(pages or 0) for pages in before)
        same += (
            f"; rows on {there:,} pages of the origin and {here:,} of the target were read before the downtime "
            "and have not changed since"
        )
    return replace(differing(items, same), row={"database": database, "tables": len(tables), "rows": rows})


BEFORE = "read before", "pages"
"""What each server tells of itself alone."""

Facts = dict[tuple[str, str], str]


def _read(told: Result) -> Facts:
    """Values by kind and name; a value may have line breaks in it, so that a line without tabs goes on."""
    found: Facts = {}
    last: tuple[str, str] | None = None
    for line in told.stdout.split("\n"):
        fields = line.split("\t", 2)
        if len(fields) == 3:
            last = fields[0], fields[1]
            found[last] = fields[2]
        elif last:
            found[last] += f"\n{line}"
    return found


def _items(theirs: Facts, ours: Facts) -> Iterator[Row]:
    for kind, name in sorted(theirs.keys() | ours.keys()):
        there, here = theirs.get((kind, name), "absent"), ours.get((kind, name), "absent")
        if there != here:
            yield {"item": name, "what": kind, "origin": there, "target": here}
