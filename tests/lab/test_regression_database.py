"""PostgreSQL's own regression database as bj, from 13 to 15, with both engines: what nobody here wrote arrives equal."""

import base64
import io
import tarfile
from pathlib import Path

import pytest

from bmnb.lab.sources import regression_tests
from tests.lab.clusters import Side
from tests.lab.test_any_data import COPY, Move, assert_same, sides

pytestmark = pytest.mark.lab
__all__ = ["sides"]

PLACE = "/regress"
LEFT_OUT = {"tablespace", "drop_if_exists"}
"""The first writes beside the cluster, the other makes nothing."""
PART = """boolean char name varchar text int2 int4 int8 float4 float8 bit numeric uuid enum money rangetypes strings point lseg line
box path polygon circle date time timetz timestamp timestamptz interval inet macaddr macaddr8 comments create_function_1
create_type create_table create_function_2 copy create_misc create_operator create_procedure create_index create_view
create_aggregate create_function_3 create_cast constraints triggers inherit typed_table updatable_views generated identity
domain rangefuncs sequence polymorphism rowtypes largeobject xml json jsonb tsearch tsdicts foreign_key rules with"""
"""Of the tests those that make what is odd, for every run."""

FOREIGN = """DO $$ DECLARE one record; BEGIN
FOR one IN SELECT oid::regprocedure AS name FROM pg_proc WHERE probin LIKE '/%' LOOP
EXECUTE 'DROP ROUTINE IF EXISTS ' || one.name || ' CASCADE'; END LOOP;
FOR one IN SELECT oid::regoperator AS name FROM pg_operator WHERE oprright = 0 AND oid > 16384 LOOP
EXECUTE 'DROP OPERATOR ' || one.name || ' CASCADE'; END LOOP; END $$;
DROP AGGREGATE IF EXISTS array_cat_accum(anyarray), array_larg_accum(anyarray), first_el_agg_any(anyelement) CASCADE"""
"""Takes away what is of PostgreSQL 13 alone: functions in C, by the folder of this version, postfix operators, and
aggregates of functions whose arguments have other types from 14 on."""

CHANGE = """UPDATE onek SET two = two + 1 WHERE unique1 % 3 = 0; DELETE FROM tenk1 WHERE unique1 < 100;
INSERT INTO int4_tbl SELECT n FROM generate_series(1, 50) n; UPDATE float8_tbl SET f1 = -f1; TRUNCATE int2_tbl"""


@pytest.fixture(scope="module")
def tests(sides: tuple[Side, Side]) -> Path:
    """PostgreSQL's tests on the origin, with the names of folders put into those that have them."""
    folder = regression_tests("bullseye", "13", print)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("sql", "input", "data"):
            archive.add(folder / name, name)
    origin = sides[0]
    origin.must(
        f"mkdir -p {PLACE}/results && cd {PLACE} && base64 -d | tar xz && chmod -R a+rwX {PLACE}",
        base64.b64encode(packed.getvalue()).decode(),
    )
    origin.must(
        f"""cd {PLACE}/input && for file in *.source; do
sed 's,@abs_srcdir@,{PLACE},g; s,@abs_builddir@,{PLACE},g; s,@libdir@,/usr/lib/postgresql/13/lib,g; s,@DLSUFFIX@,.so,g' $file > ../sql/${{file%.source}}.sql
done"""
    )
    return folder


def fill(move: Move, names: list[str]) -> None:
    """Run the tests; some need what Debian does not package, and fail in part."""
    options = "-c lc_messages=C -c statement_timeout=60s"
    psql = f"PGOPTIONS='{options}' runuser -u postgres -- timeout 300 psql -Xaq -d bj -f"
    lines = "; ".join(f"{psql} {name}.sql > /dev/null 2>&1" for name in names)
    move.origin.must(f"cd {PLACE}/sql; {lines}; true")
    move.sql(FOREIGN)


def scheduled(folder: Path) -> list[str]:
    lines = (folder / "serial_schedule").read_text().splitlines()
    names = [line.split()[1] for line in lines if line.startswith("test:")]
    return [name for name in names if name not in LEFT_OUT]


def assert_moves(move: Move) -> None:
    """Two passes of the fast engine with changes between, then dump and import."""
    assert int(move.sql("SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND oid > 16384")) > 50
    move.carry()
    assert_same(move)
    move.sql(CHANGE)
    move.carry()
    assert_same(move)
    move.target.must(f"cd / && runuser -u postgres -- dropdb {COPY}")
    move.dump_and_import()
    assert move.counted().holds
    assert_same(move)


def test_a_part_of_the_regression_database_arrives_equal(sides: tuple[Side, Side], tests: Path):
    move = Move(*sides)
    fill(move, PART.split())
    assert_moves(move)


@pytest.mark.soak
def test_the_regression_database_arrives_equal(sides: tuple[Side, Side], tests: Path):
    move = Move(*sides)
    fill(move, scheduled(tests))
    assert_moves(move)
