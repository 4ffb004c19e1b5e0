"""Databases that nobody here wrote: any name, any value, any definition, from PostgreSQL 13 to 15, by rows and by dump."""

import json
from collections.abc import Iterator

import pytest

from bmnb.steps import Result, Verdict
from bmnb.transfer import access, fast
from bmnb.transfer.placing import contents, place
from bmnb.verification import databases, files
from tests.lab.clusters import ORIGIN_FROM_TARGET, Side, clusters

pytestmark = pytest.mark.lab

FOLDER = "/var/lib/bmnb/test"
COPY = "bj_copy"
SSH = f"{access.ssh(FOLDER)} root@origin "


@pytest.fixture(scope="module")
def sides() -> Iterator[tuple[Side, Side]]:
    with clusters("bullseye", "bookworm") as both:
        for side in both:
            for programs in (fast.PROGRAMS, files.PROGRAMS):
                put = f"({place(FOLDER, programs)}) <<'END-OF-PROGRAMS'\n{contents(programs)}\nEND-OF-PROGRAMS"
                side.must(put)
        yield both


class Move:
    """A database of the origin, and its copy on the target."""

    def __init__(self, origin: Side, target: Side) -> None:
        self.origin, self.target = origin, target
        origin.sql("DROP DATABASE IF EXISTS bj", "postgres")
        origin.sql("CREATE DATABASE bj OWNER bj TEMPLATE template0 ENCODING 'UTF8'", "postgres")
        target.must(f"rm -rf {FOLDER}/databases; cd / && runuser -u postgres -- dropdb --if-exists {COPY}")
        origin.must(f"rm -rf {FOLDER}/databases-rows {FOLDER}/databases/")

    def sql(self, script: str) -> str:
        return self.origin.sql(script, "bj")

    def carry(self) -> dict[str, int]:
        """One pass; hot and cold ones do the same."""
        line = f"cd {FOLDER} && python3 -m programs.carry_database bj {COPY} {FOLDER}/databases/bj 2"
        told: dict[str, int] = json.loads(
            self.target.must(f"{line} -- {' '.join(ORIGIN_FROM_TARGET)}").splitlines()[-1]
        )
        return told


    def verdict(self) -> Verdict:
        """What the procedure makes of it, whichever engine has brought it."""
        self.target.sql(f'ALTER DATABASE "{COPY}" RENAME TO bj', "postgres")
        try:
            for side in (self.origin, self.target):
                side.must(databases.facts(FOLDER, "bj", "echo 130000"), databases.FACTS)
            line = databases.compare_definitions(FOLDER, "origin", "bj")
            self.target.must(line.replace(SSH, f"{' '.join(ORIGIN_FROM_TARGET)} "))
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
    "a trigger that always fires": """CREATE TABLE w(a int); CREATE FUNCTION up() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a := NEW.a + 1; RETURN NEW; END';
      CREATE TRIGGER w BEFORE INSERT ON w FOR EACH ROW EXECUTE FUNCTION up(); ALTER TABLE w ENABLE ALWAYS TRIGGER w; INSERT INTO w VALUES (1)""",
}


@pytest.mark.parametrize("made", ODD.values(), ids=ODD)
def test_whatever_a_database_holds_two_passes_bring_it(move: Move, made: str):
    move.sql(made)
    assert move.carry()["restored"] == 1
    told = move.carry()
    assert (told["restored"], told.get("dumped", 0)) == (0, 0)
    verdict = move.verdict()
    assert verdict.holds, verdict.seen
