"""Databases that nobody here wrote: any name, any value, any definition, from PostgreSQL 13 to 15, by rows and by dump."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from bmnb.steps import Result, Verdict
from bmnb.transfer import access, fast
from bmnb.transfer import databases as counting
from bmnb.transfer.placing import contents, place
from bmnb.verification import databases, files
from tests.lab.clusters import ORIGIN_FROM_TARGET, Side, clusters

pytestmark = pytest.mark.lab

FOLDER = "/var/lib/bmnb/test"
COPY = "bj_copy"
ASKED = "from programs.definitions import *; from programs.postgres import LOCAL; print(definitions(Session(LOCAL, 'bj'), 130000))"
ASK = f'cd {FOLDER} && python3 -c "{ASKED}"'
SSH = f"{access.ssh(FOLDER)} root@origin "


@pytest.fixture(scope="module")
def sides() -> Iterator[tuple[Side, Side]]:
    with clusters("bullseye", "bookworm") as both:
        for side in both:
            for programs in (fast.PROGRAMS, files.PROGRAMS):
                put = (
                    f"({place(FOLDER, programs)}) <<'END-OF-PROGRAMS'\n{contents(programs)}\nEND-OF-PROGRAMS"
                )
                side.must(put)
        yield both


class Move:
    """A database of the origin, and its copy on the target."""

    def __init__(self, origin: Side, target: Side) -> None:
        self.origin, self.target = origin, target
        origin.sql("DROP DATABASE IF EXISTS bj", "postgres")
        origin.sql("CREATE DATABASE bj OWNER bj TEMPLATE template0 ENCODING 'UTF8'", "postgres")
        target.must(f"rm -rf {FOLDER}/databases; cd / && runuser -u postgres -- dropdb --if-exists {COPY}")
        for side in (origin, target):
            side.must(f"rm -rf {FOLDER}/databases {FOLDER}/sums")

    def sql(self, script: str) -> str:
        return self.origin.sql(script, "bj")

    def carry(self) -> dict[str, int]:
        """One pass; hot and cold ones do the same."""
        line = f"cd {FOLDER} && python3 -m programs.carry_database bj {COPY} {FOLDER}/databases/bj 2"
        told: dict[str, int] = json.loads(
            self.target.must(f"{line} -- {' '.join(ORIGIN_FROM_TARGET)}").splitlines()[-1]
        )
        return told

    def dump_and_import(self) -> None:
        """As the literal engine does it."""
        create, psql = (
            f"createdb -O bj -T template0 -E UTF8 {COPY}",
            f"psql -Xq -v ON_ERROR_STOP=1 -1 -o /dev/null -d {COPY}",
        )
        as_postgres = "runuser -u postgres --"
        there = f"{' '.join(ORIGIN_FROM_TARGET)} '{as_postgres} pg_dump bj'"
        self.target.must(f"cd / && {as_postgres} {create} && {there} | {as_postgres} {psql}")

    def definitions(self) -> str:
        """What the origin's definitions come to."""
        return self.origin.must(ASK).strip()

    def counted(self) -> Verdict:
        """The literal engine's own check."""
        there = Result("", "", 0, self.origin.must(counting.count_rows("bj")))
        here = self.target.must(counting.count_rows(COPY)).replace(f'["{COPY} ', '["bj ')
        return counting.same_rows(there, Result("", "", 0, here))

    def count_ahead(self) -> None:
        """Read the rows of both, and tell the definitions, while they are in use, as the verification does."""
        for side, database in ((self.origin, "bj"), (self.target, COPY)):
            side.must(databases.count_ahead(FOLDER, "bj", database, "echo 130000"))
        self.target_asks(databases.tell_definitions(FOLDER, "origin", "bj", COPY))

    def target_asks(self, line: str) -> None:
        self.target.must(line.replace(SSH, f"{' '.join(ORIGIN_FROM_TARGET)} "))

    def verdict(self) -> Verdict:
        """What the procedure makes of it, whichever engine has brought it."""
        self.target.sql(f'ALTER DATABASE "{COPY}" RENAME TO bj', "postgres")
        try:
            for side in (self.origin, self.target):
                side.must(databases.facts(FOLDER, "bj", "echo 130000"), databases.FACTS)
            self.target_asks(databases.compare_definitions(FOLDER, "origin", "bj"))
            told = [
                side.must(line)
                for side, line in (
                    (self.origin, databases.show(FOLDER, "bj")),
                    (self.target, databases.show(FOLDER, "bj")),
                    (self.target, databases.show_definitions(FOLDER, "bj")),
                )
            ]
        finally:
            self.target.sql(f'ALTER DATABASE bj RENAME TO "{COPY}"', "postgres")
        return databases.same_facts("bj", *(Result("", "", 0, one) for one in told))


@pytest.fixture
def move(sides: tuple[Side, Side]) -> Move:
    return Move(*sides)


ODD = {
    "a table whose name has a blank": 'CREATE TABLE "Line Items"(a int); INSERT INTO "Line Items" VALUES (1)',
    "names with all signs": r"""CREATE SCHEMA "s ""x"" . %I"; CREATE TABLE "s ""x"" . %I"."a	b
c|d'e""f\g\. :x {}" ("tab	" int, "line
" text, "|,'""\" int DEFAULT 3); INSERT INTO "s ""x"" . %I"."a	b
c|d'e""f\g\. :x {}" VALUES (1, E'\t\n\\.\r')""",
    "a sparse large object": "SELECT lo_put(lo_create(70000), 50000, 'x'); SELECT lo_put(70000, 5000000, 'y')",
    "a range type": "CREATE TYPE tr AS RANGE (subtype = time); CREATE TABLE r AS SELECT '[01:00,02:00)'::tr AS r",
    "inherited columns": "CREATE TABLE p(a int); CREATE TABLE c(z text) INHERITS(p); ALTER TABLE p ADD b int; INSERT INTO c VALUES (1, 'z', 2)",
    "a table without columns": "CREATE TABLE none(); INSERT INTO none DEFAULT VALUES; INSERT INTO none DEFAULT VALUES",
    "values of many types": r"""CREATE TABLE v AS SELECT '-0'::float8 AS f, '-0'::float4 AS g, 'NaN'::numeric AS n, 1.10::numeric AS m,
      '{"b": 1, "a": [1.0, 1e3]}'::jsonb AS j, '[0:1]={1,NULL}'::int[] AS a, '{{1,2},{3,4}}'::float8[] AS aa,
      '4713-01-01 BC'::date AS d, 'infinity'::timestamptz AS t, '2021-03-28 02:30:00 Europe/Paris'::timestamptz AS z, '1 year -3 days 04:05:06.7'::interval AS i,
      12.34::money AS y, '<a/>'::xml AS x, '\x00ff'::bytea AS b, 'a fat cat'::tsvector AS s, '10.1.2.3/8'::inet AS h, B'101' AS w,
      (1e300 / 3)::float8 AS e, 'pg_class'::regclass AS c, '(1,2)'::point AS o""",
    "settings of the database": """ALTER DATABASE bj SET datestyle = 'SQL, DMY'; ALTER DATABASE bj SET intervalstyle = 'sql_standard'; ALTER DATABASE bj SET timezone = 'Asia/Tokyo';
      ALTER DATABASE bj SET extra_float_digits = -5; ALTER DATABASE bj SET statement_timeout = 1; ALTER DATABASE bj SET bytea_output = 'escape';
      ALTER DATABASE bj SET standard_conforming_strings = off;""",
    "rights on public": "GRANT USAGE ON SCHEMA public TO bj; REVOKE CREATE ON SCHEMA public FROM PUBLIC",
}
ALWAYS = """CREATE TABLE w(a int); CREATE FUNCTION up() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a := NEW.a + 1; RETURN NEW; END';
      CREATE TRIGGER w BEFORE INSERT ON w FOR EACH ROW EXECUTE FUNCTION up(); ALTER TABLE w ENABLE ALWAYS TRIGGER w; INSERT INTO w VALUES (1)"""


NAMES = st.lists(
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=15),
    min_size=12,
    max_size=12,
    unique=True,
)
NASTY = [*"\t\n\r|,'\"\\ {}%:;", "\\.", "a\tb\nc", "$$", "; DROP", "'; --", "\x7f\x85\u2028", "é", "𝄞"]


def named(name: str) -> str:
    """A schema, a table, columns, a type, a sequence and a role of a name."""
    schema, table, column, kind = ('"' + (f"{letter}{name}").replace('"', '""') + '"' for letter in "stct")
    return f"""CREATE SCHEMA {schema}; CREATE TYPE {schema}.{kind[:1]}y{kind[2:]} AS ENUM ({quoted(name)});
CREATE TABLE {schema}.{table} ({column} serial, "v" text, "y" {schema}.{kind[:1]}y{kind[2:]});
INSERT INTO {schema}.{table} ("v", "y") VALUES ({quoted(name)}, {quoted(name)});
COMMENT ON TABLE {schema}.{table} IS {quoted(name)};"""


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def assert_same(move: Move) -> None:
    verdict = move.verdict()
    assert verdict.holds, verdict.seen


def test_whatever_a_database_holds_two_passes_bring_it(move: Move):
    for made in ODD.values():
        move.sql(made)
    assert move.carry()["restored"] == 1
    move.sql(
        "INSERT INTO c VALUES (2, 'y', 3); INSERT INTO none DEFAULT VALUES; SELECT lo_put(70000, 60000, 'z')"
    )
    move.count_ahead()
    move.sql("UPDATE v SET f = 1; DELETE FROM r")
    told = move.carry()
    assert (told["restored"], told.get("dumped", 0)) == (0, 0)
    assert_same(move)
    assert "were read before the downtime" in move.verdict().seen
    move.sql("INSERT INTO c VALUES (3, 'x', 4)")
    assert [item["item"] for item in move.verdict().items] == ["public.c"]


@pytest.mark.parametrize("engine", ["fast", "literal"])
@settings(
    max_examples=2,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(names=NAMES)
@example(names=NASTY)
def test_a_name_may_hold_any_sign(sides: tuple[Side, Side], engine: str, names: list[str]):
    move = Move(*sides)
    move.sql("".join(map(named, names)))
    if engine == "literal":
        move.dump_and_import()
    else:
        move.carry()
        for name in names:
            table = '"' + f"s{name}".replace('"', '""') + '"."' + f"t{name}".replace('"', '""') + '"'
            move.sql(f"INSERT INTO {table} (v) VALUES ({quoted(name)})")
        assert move.carry()["carried"] == len(names)
    assert move.counted().seen == f"{len(names)} tables, {len(names) * (1 + (engine == 'fast'))} rows, equal"
    assert_same(move)


def test_what_no_pass_can_bring_is_dumped_and_restored_in_the_same_step(move: Move):
    """Rows that a trigger of the copy changes, or a rule keeps there, are not those that were sent."""
    move.sql(ALWAYS)
    move.carry()
    move.sql("INSERT INTO w VALUES (7)")
    assert move.carry()["dumped"] == 1
    assert_same(move)
    move.sql("CREATE RULE keep AS ON DELETE TO w DO INSTEAD NOTHING; INSERT INTO w VALUES (8)")
    move.carry()
    move.sql(
        "ALTER TABLE w DISABLE RULE keep; DELETE FROM w WHERE a = 9; ALTER TABLE w ENABLE RULE keep; UPDATE w SET a = 0"
    )
    move.carry()
    assert_same(move)


BASE = """CREATE TABLE t (a int, b text); CREATE INDEX i ON t (a); CREATE SEQUENCE s; CREATE VIEW v AS SELECT a FROM t;
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT $1'; CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN small AS int;
CREATE TEXT SEARCH CONFIGURATION search (COPY = simple); CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple);
CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER server FOREIGN DATA WRAPPER wrapper; CREATE USER MAPPING FOR bj SERVER server;
CREATE FOREIGN TABLE far (a int) SERVER server; CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int);
SELECT lo_create(4711); CREATE OPERATOR FAMILY family USING btree; CREATE TYPE pair AS (one int);
CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER event ON sql_drop EXECUTE FUNCTION seen();"""

CHANGES = {
    "text search mapping": "ALTER TEXT SEARCH CONFIGURATION search ALTER MAPPING FOR word WITH english_stem",
    "text search dictionary": "ALTER TEXT SEARCH DICTIONARY words (accept = false)",
    "server": "ALTER SERVER server OPTIONS (host 'x')",
    "user mapping": "ALTER USER MAPPING FOR bj SERVER server OPTIONS (user 'x')",
    "foreign table": "ALTER FOREIGN TABLE far OPTIONS (x 'y')",
    "foreign data wrapper": "ALTER FOREIGN DATA WRAPPER wrapper OPTIONS (a 'b')",
    "aggregate": "CREATE OR REPLACE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '1')",
    "a large object's rights": "GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC",
    "a large object's comment": "COMMENT ON LARGE OBJECT 4711 IS 'x'",
    "conversion": "CREATE CONVERSION latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
    "operator family": "ALTER OPERATOR FAMILY family USING btree ADD OPERATOR 1 < (int4, int8)",
    "owner of a sequence": "ALTER SEQUENCE s OWNED BY t.a",
    "step of a sequence": "ALTER SEQUENCE s INCREMENT 7",
    "rights of a column": "GRANT SELECT (a) ON t TO PUBLIC",
    "rights by default": "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO bj",
    "rights on a language": "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC",
    "rights on what is the system's": "REVOKE EXECUTE ON FUNCTION pg_sleep(float) FROM PUBLIC",
    "comment": "COMMENT ON COLUMN t.a IS 'x'",
    "body of a function": "CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT $1 -- one'",
    "rule": "CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING",
    "row security": "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "policy": "CREATE POLICY p ON t USING (a > 0)",
    "replica identity": "ALTER TABLE t REPLICA IDENTITY FULL",
    "statistics of a column": "ALTER TABLE t ALTER a SET STATISTICS 7",
    "storage of a column": "ALTER TABLE t ALTER b SET STORAGE EXTERNAL",
    "default of a column": "ALTER TABLE t ALTER b SET DEFAULT 'x'",
    "index of CLUSTER": "ALTER TABLE t CLUSTER ON i",
    "extended statistics": "CREATE STATISTICS more ON a, b FROM t",
    "options of a view": "ALTER VIEW v SET (security_barrier)",
    "enum": "ALTER TYPE mood ADD VALUE 'glad'",
    "domain": "ALTER DOMAIN small ADD CHECK (VALUE < 9)",
    "composite type": "ALTER TYPE pair ADD ATTRIBUTE two int",
    "event trigger": "ALTER EVENT TRIGGER event DISABLE",
    "access method": "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler",
    "dependence on an extension": "ALTER FUNCTION f(int) DEPENDS ON EXTENSION plpgsql",
    "collation": 'CREATE COLLATION c FROM "C"',
    "cast": "CREATE CAST (pair AS text) WITH INOUT",
    "schema": "CREATE SCHEMA more",
}
NAMED = {
    "ACCESS METHOD heap2",
    "ACL LANGUAGE plpgsql",
    "ACL pg_catalog.FUNCTION pg_sleep(double precision)",
    "ACL public.COLUMN t.a",
    "AGGREGATE public.total(integer)",
    "CAST CAST (public.pair AS text)",
    "COLLATION public.c",
    "COMMENT public.COLUMN t.a",
    "CONVERSION public.latin",
    "DEFAULT ACL DEFAULT PRIVILEGES FOR TABLES",
    "DOMAIN public.small",
    "EVENT TRIGGER event",
    "FOREIGN DATA WRAPPER wrapper",
    "FOREIGN TABLE public.far",
    "FUNCTION public.f(integer)",
    "INDEX public.i",
    "OPERATOR FAMILY public.family",
    "POLICY public.t p",
    "ROW SECURITY public.t",
    "RULE public.t r",
    "SCHEMA more",
    "SEQUENCE OWNED BY public.s",
    "SEQUENCE public.s",
    "SERVER server",
    "STATISTICS public.more",
    "TABLE public.t",
    "TEXT SEARCH CONFIGURATION public.search",
    "TEXT SEARCH DICTIONARY public.words",
    "TYPE public.mood",
    "TYPE public.pair",
    "USER MAPPING USER MAPPING bj SERVER server",
    "VIEW public.v",
    "large object 4711",
}
"""What the comparison says of them all together."""

WORK = """INSERT INTO t SELECT n, n FROM generate_series(1, 1000) n; UPDATE t SET a = a + 1; SELECT nextval('s');
CREATE TEMP TABLE own (a serial PRIMARY KEY, b text DEFAULT 'x' CHECK (b > '')); CREATE TEMP VIEW look AS SELECT * FROM t;
CREATE FUNCTION pg_temp.here() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE pg_temp.p AS (a int);
VACUUM ANALYZE; VACUUM FULL t; REINDEX TABLE t; TRUNCATE t; SELECT lo_create(0);"""


@pytest.fixture(scope="module")
def defined(sides: tuple[Side, Side]) -> Move:
    """A database with one of each kind, and its copy."""
    move = Move(*sides)
    move.sql(BASE)
    move.carry()
    assert_same(move)
    return move


def test_work_on_rows_is_no_change_of_a_definition(defined: Move):
    before = defined.definitions()
    # the session and what is temporary in it last until the end of its input
    script = f"( cat <<'END'\n{WORK}\nEND\nsleep 2; {ASK} > /tmp/during )"
    psql = "runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -o /dev/null -d bj"
    during = defined.origin.must(f"cd / && {script} | {psql} && cat /tmp/during").strip()
    assert [during, defined.definitions()] == [before, before]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_definition_that_changes_between_the_passes_is_seen(defined: Move, change: str):
    before = defined.definitions()
    defined.sql(change)
    assert defined.definitions() != before


def test_the_comparison_names_what_has_changed_and_the_next_pass_brings_it(move: Move):
    move.sql(BASE)
    move.carry()
    for change in CHANGES.values():
        move.sql(change)
    verdict = move.verdict()
    named = {f"{item['what'].removeprefix('definition of ')} {item['item']}" for item in verdict.items}
    assert not verdict.holds
    assert named == NAMED
    assert move.carry()["restored"] == 1
    assert_same(move)


def test_the_table_under_way_is_told_whatever_its_name(move: Move):
    move.sql("""CREATE TABLE "Line ""I
tems" AS SELECT n FROM generate_series(1, 300000) n""")
    copy = """'COPY public."Line ""I\ntems" TO STDOUT'"""
    dump = f"cd / && PGAPPNAME=pg_dump runuser -u postgres -- psql -Xq -d bj -c {copy} | (sleep 2; cat > /dev/null)"
    asked = counting.table_under_way("bj")
    told = move.origin.must(f"({dump}) & sleep 0.7\n{asked}\nwait")
    assert told.startswith('public."Line ""I tems"'), told
