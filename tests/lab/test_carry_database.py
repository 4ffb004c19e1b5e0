"""The programs that carry the rows of a database over, here to a copy on the same server, and that count them."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bmnb.lab import Lab
from bmnb.lab.server import Server
from bmnb.transfer.fast import PROGRAMS
from bmnb.transfer.placing import contents, place
from bmnb.verification import databases
from tests.lab.odd_tables import AFTER, BEFORE
from tests.lab.test_standin import wait_until

pytestmark = pytest.mark.lab

FOLDER = "/var/lib/bmnb/test"
COPY = "bj-data_copy"
NOT_LOGGED, NOT_LOGGED_ROWS = 1, 500
"""So many tables, with so many rows, are copied whole each time."""

PSQL = "cd / && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1"

# moves rows within and between pages, takes back what it began, leaves room that others take
WORK = r"""\set one random(1, 4000)
\set other random(1, 4000)
BEGIN;
UPDATE big SET k = k + 1 WHERE id = :one;
DELETE FROM big WHERE id = :other;
INSERT INTO big VALUES (:other, md5(:one::text), :one) ON CONFLICT DO NOTHING;
SAVEPOINT before; UPDATE big SET g = g || 'x' WHERE id = :one + 1; ROLLBACK TO before;
END;
"""
LONG_WORK = r"""\set one random(1, 4000)
BEGIN; UPDATE big SET k = k + 1 WHERE id BETWEEN :one AND :one + 50; SELECT pg_sleep(1); END;
"""


@pytest.fixture(scope="module")
def server(lab: Lab) -> Server:
    origin = lab.origin
    origin.must("systemctl disable --now bmnb-writer")
    origin.must(f"({place(FOLDER, PROGRAMS)}) <<'END-OF-PROGRAMS'\n{contents(PROGRAMS)}\nEND-OF-PROGRAMS")
    sql(origin, BEFORE)
    rows = "SELECT n, md5(n::text), n FROM generate_series(1, 4000) n"
    sql(origin, f"CREATE TABLE big (id integer PRIMARY KEY, g text, k integer); INSERT INTO big {rows}")
    return origin


def sql(server: Server, script: str, database: str = "bj-data") -> str:
    return server.must(f"{PSQL} -d {database} <<'END'\n{script}\nEND")


def carry(server: Server) -> dict[str, Any]:
    line = f"cd {FOLDER} && python3 -m programs.carry_database bj-data {COPY} {FOLDER}/databases/bj-data 2"
    told: dict[str, Any] = json.loads(server.must(f"{line} -- bash -c 2> {FOLDER}/said").splitlines()[-1])
    return told


def pages_read(server: Server, table: str) -> int:
    """Of the last pass."""
    read = re.findall(rf"^public\.{table}: \d+ rows, (\d+) of", server.must(f"cat {FOLDER}/said"), re.M)
    return sum(map(int, read))


def facts(server: Server, database: str) -> list[list[str]]:
    told = server.must(f"{PSQL} -v oldest=130000 -v whole=1 -d {database} <<'END'\n{databases.FACTS}\nEND")
    return sorted(map(json.loads, told.splitlines()))


def is_equal(server: Server) -> bool:
    return facts(server, "bj-data") == facts(server, COPY)


@contextmanager
def working(server: Server, script: str) -> Iterator[None]:
    """Users at work on two connections."""
    server.must(f"cat > /tmp/work <<'END'\n{script}\nEND")
    server.must(
        "systemd-run --quiet --collect --unit=work --uid=postgres pgbench -n -f /tmp/work -c 2 -T 600 bj-data"
    )
    users = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'"
    wait_until(lambda: int(sql(server, users)) == 2)
    try:
        yield
    finally:
        server.must("systemctl stop work")
        wait_until(lambda: int(sql(server, users)) == 0)


def test_the_first_pass_restores_and_the_next_reads_no_page(server: Server):
    first = carry(server)
    assert first["restored"] == 1
    assert {one["how"] for one in first["parts"]} == {"first copy"}
    assert is_equal(server)
    told = carry(server)
    assert (told["restored"], told["carried"], told["removed"], told["whole"]) == (
        0,
        NOT_LOGGED_ROWS,
        NOT_LOGGED_ROWS,
        NOT_LOGGED,
    )
    assert pages_read(server, "big") == 0


def test_what_has_changed_comes_whatever_the_table_is_like(server: Server):
    sql(server, AFTER)
    sql(server, "UPDATE big SET k = 0 WHERE id = 7; DELETE FROM big WHERE id > 3990")
    told = carry(server)
    assert told["whole"] == NOT_LOGGED
    by_table = {one["table"]: one for one in told["parts"]}
    big = {"database": "bj-data", "table": "public.big", "how": "changes", "carried": 1, "removed": 11}
    assert by_table["public.big"] == {**big, "rows": 3990}
    assert by_table["public.odd_unlogged"]["how"] == "whole table"
    assert sum(one["carried"] for one in told["parts"]) == told["carried"]
    assert len(by_table) == told["tables"] == len(told["parts"])
    assert 0 < pages_read(server, "big") < 10
    assert is_equal(server)


def test_a_table_that_lies_in_another_file_is_copied_whole(server: Server):
    sql(server, "VACUUM FULL big")
    sql(server, "TRUNCATE odd_refers")
    assert carry(server)["whole"] == 2 + NOT_LOGGED
    assert is_equal(server)
    assert carry(server)["whole"] == NOT_LOGGED


def test_a_crash_that_empties_a_table_that_is_not_logged_is_none_of_the_next_pass(server: Server):
    assert sql(server, "SELECT count(*) FROM odd_unlogged") == "500\n"
    # ends as by a crash
    server.must(
        "for step in 'stop -m immediate' start; do pg_ctlcluster --skip-systemctl-redirect $(pg_lsclusters -h | cut -c 1-8) $step; done"
    )
    assert sql(server, "SELECT count(*) FROM odd_unlogged") == "0\n"
    carry(server)
    assert is_equal(server)
    sql(server, "INSERT INTO odd_unlogged SELECT n, n, n, n FROM generate_series(1, 500) n")
    carry(server)
    assert is_equal(server)


def test_pages_that_a_table_has_no_more_are_missed_by_none(server: Server):
    sql(server, "DELETE FROM big WHERE id > 2000")
    sql(server, "VACUUM big")
    carry(server)
    assert is_equal(server)
    sql(server, "INSERT INTO big SELECT n, md5(n::text), n FROM generate_series(2001, 4000) n")
    carry(server)
    assert is_equal(server)


@pytest.mark.parametrize("work", [WORK, LONG_WORK], ids=["short transactions", "long ones"])
def test_nothing_that_users_do_meanwhile_is_lost(server: Server, work: str):
    """A transaction may have written before a pass, and end after it."""
    with working(server, work):
        carried = [carry(server)["carried"] for _ in range(4)]
    assert min(carried[1:]) > NOT_LOGGED_ROWS
    assert carry(server)["whole"] == NOT_LOGGED
    assert is_equal(server)


def test_a_transaction_that_outlasts_a_pass_is_not_lost(server: Server):
    """The program waits for 10 s, which is shortened here."""
    program = f"{FOLDER}/programs/pages.py"
    server.must(f"sed -i 's/^SETTLED_SECONDS = 10.0/SETTLED_SECONDS = 0.2/' {program}")
    write = "BEGIN; UPDATE big SET k = -1 WHERE id < 100; SELECT pg_sleep(4); COMMIT"
    server.must(f"systemd-run --quiet --collect --unit=write --uid=postgres psql -d bj-data -c '{write}'")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    wait_until(lambda: int(sql(server, waiting)) == 1)
    carry(server)
    wait_until(lambda: int(sql(server, waiting)) == 0)
    carry(server)
    assert is_equal(server)
    assert int(sql(server, "SELECT count(*) FROM big WHERE k = -1", COPY)) == 99


LOG_END = """
from programs.postgres import Session
from programs.replication import Replication
here = ("bash", "-c")
reader = Session(here, "bj-data")
reader.tell("BEGIN")
held = reader.value("SELECT pg_logical_emit_message(false, 'as a read does', repeat('x', 12000))")
place = Replication(here, "bj-data", "").written()
print(reader.value(f"SELECT '{held}'::pg_lsn < '{place}' AND '{place}' <= pg_current_wal_flush_lsn()"))
"""


def test_the_place_that_replication_waits_for_is_written_with_all_before(server: Server):
    """What a transaction that only reads has put into the log is written when it ends, or up to 15 s later."""
    assert server.must(f"cd {FOLDER} && python3 - <<'END'\n{LOG_END}\nEND") == "t\n"


def count(server: Server) -> tuple[list[list[str]], int]:
    """What is told of the tables, and how many pages were not read again."""
    line = f"cd {FOLDER} && python3 -m programs.sums bj-data {FOLDER}/sums 130000 2> {FOLDER}/said"
    told = server.must(f"{line} || {{ cat {FOLDER}/said; exit 1; }}")
    *tables, before = map(json.loads, told.splitlines())
    return sorted(tables), int(before[2])


def every_row(server: Server) -> list[list[str]]:
    return [told for told in facts(server, "bj-data") if told[0] == "table"]


def test_a_look_counts_what_is_there_and_the_next_reads_what_has_changed(server: Server):
    assert count(server) == (every_row(server), 0)
    told, pages = count(server)
    assert told == every_row(server)
    assert pages > 30
    sql(
        server,
        "UPDATE big SET g = 'a' WHERE id = 9; DELETE FROM odd_moving; INSERT INTO odd_emptied VALUES (1)",
    )
    told, read_before = count(server)
    assert told == every_row(server)
    assert pages - 20 < read_before < pages


@pytest.mark.parametrize(
    "change",
    [
        "VACUUM FULL big",
        "DELETE FROM big WHERE id > 2000; VACUUM big",
        "INSERT INTO big SELECT n, md5(n::text), n FROM generate_series(2001, 4000) n",
        "ALTER TABLE big ADD COLUMN more text DEFAULT 'more'",
        "ALTER TABLE big RENAME TO large; ALTER TABLE large RENAME TO big",
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE moods AS SELECT 'sad'::mood",
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'sorry'",
        "UPDATE odd_unlogged SET hash = -1 WHERE block = 3",
        "TRUNCATE odd_refers",
    ],
)
def test_a_look_misses_no_change(server: Server, change: str):
    count(server)
    for statement in change.split(";"):
        sql(server, statement)
    told, _ = count(server)
    assert told == every_row(server)


@pytest.mark.parametrize("work", [WORK, LONG_WORK], ids=["short transactions", "long ones"])
def test_a_look_while_users_work_leaves_what_the_next_can_go_by(server: Server, work: str):
    with working(server, work):
        said = [(count(server), server.must(f"cat {FOLDER}/said")) for _ in range(3)]
    assert all(text == "" for _, text in said)
    told, read_before = count(server)
    assert told == every_row(server)
    assert read_before > 0


def test_a_page_that_is_not_as_it_was_left_has_every_row_read_again(server: Server):
    count(server)
    server.must(
        f"dd if=/dev/urandom of=$(echo {FOLDER}/sums/pages-*) bs=16 count=2000 conv=notrunc status=none"
    )
    assert count(server) == (every_row(server), 0)
    assert "is not as it was left: every row is read again" in server.must(f"cat {FOLDER}/said")
