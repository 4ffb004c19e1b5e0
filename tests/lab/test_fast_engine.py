"""A whole distribution change with the fast engine, killed and restarted on its way: nothing is lost."""

from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from tests.lab.faults import COLD, HOT, Fault
from tests.lab.migration import client_file, finish, journal, kill_all, start, wait_for

pytestmark = pytest.mark.lab

OVERLOOKED = "/var/spool/bm-docs/rewritten within the second"

# no key, rows that are equal, a name that must be quoted, inheritance, partitions, foreign keys, floats
BEFORE = """
CREATE TABLE odd_no_key (a integer, b text); INSERT INTO odd_no_key SELECT n % 10, 'same' FROM generate_series(1, 3000) n;
CREATE TABLE "Odd, table" ("Col 1" serial PRIMARY KEY, t double precision, bmnb_row text, r real,
  g integer GENERATED ALWAYS AS (length(bmnb_row)) STORED);
INSERT INTO "Odd, table" (t, bmnb_row, r) SELECT n / 3.0, E'tab\\t, \\\\ new\\n' || n, n / 7.0 FROM generate_series(1, 2000) n;
CREATE TABLE odd_parent (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
CREATE TABLE odd_child (more text) INHERITS (odd_parent);
INSERT INTO odd_parent (what) SELECT n FROM generate_series(1, 100) n;
INSERT INTO odd_child (id, what, more) SELECT n, n, n FROM generate_series(1, 100) n;
CREATE TABLE odd_moving (id integer, kind integer, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE odd_moving_1 PARTITION OF odd_moving FOR VALUES IN (1);
CREATE TABLE odd_moving_2 PARTITION OF odd_moving FOR VALUES IN (2);
INSERT INTO odd_moving SELECT n, 1 + n % 2 FROM generate_series(1, 1000) n;
CREATE TABLE odd_refers (id integer PRIMARY KEY, of integer REFERENCES odd_parent ON DELETE CASCADE);
INSERT INTO odd_refers SELECT n, n FROM generate_series(1, 100) n;
CREATE TABLE odd_emptied (a integer); INSERT INTO odd_emptied SELECT generate_series(1, 50);
"""
AFTER = """
DELETE FROM odd_no_key WHERE ctid IN (SELECT ctid FROM odd_no_key WHERE a = 3 LIMIT 7);
INSERT INTO odd_no_key SELECT 5, 'same' FROM generate_series(1, 3);
UPDATE "Odd, table" SET t = t * 1.1, bmnb_row = bmnb_row || E'\\t\\\\N' WHERE "Col 1" % 100 = 1;
DELETE FROM "Odd, table" WHERE "Col 1" % 100 = 2;
INSERT INTO "Odd, table" (t, bmnb_row, r) VALUES ('NaN', NULL, '-Infinity'), (1e-300, '', 0.1);
UPDATE odd_moving SET kind = 3 - kind WHERE id % 50 = 0;
DELETE FROM odd_parent WHERE id = 7; UPDATE odd_child SET more = 'changed' WHERE id = 9;
DELETE FROM odd_emptied; SELECT setval('"Odd, table_Col 1_seq"', 9000);
SELECT lo_unlink(min(oid)), lo_from_bytea(0, 'new') FROM pg_largeobject_metadata;
"""


def sql(lab: Lab, script: str) -> None:
    psql = "runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 -o /dev/null bj-data"
    lab.origin.must(f"cd / && {psql} <<'END'\n{script}\nEND")


def suffer(lab: Lab, client: Path, faults: tuple[Fault, ...], name: str) -> None:
    """A fault of the table stops this engine's run as the literal one's, with the same words."""
    fault = next(one for one in faults if one.name == name)
    server = lab.server(fault.server)
    server.must(fault.breaks)
    code, said = finish(client)
    server.must(fault.mends)
    assert code in (1, 3), said
    assert fault.says in said


def done(runs: Path, title: str, step: str) -> list[dict]:
    return [
        line
        for line in journal(runs)
        if line["event"] == "done" and line["title"] == title and line["action"].startswith(step)
    ]


def test_killed_and_restarted_in_every_pass_it_comes_to_the_same_end(lab: Lab, tmp_path: Path):
    runs = tmp_path / "runs"
    # a second hot pass, as a rehearsal of the cold one
    settings = {"engine": "fast", "hot_passes": 2, "restart_target": False}
    client = client_file(lab, runs, **settings)
    lab.origin.must(f"printf one > '{OVERLOOKED}'; touch -d '2026-03-01 10:00:00.1' '{OVERLOOKED}'")
    sql(lab, BEFORE)
    lab.target.must("printf stray > /var/spool/bm-docs/stray")

    killed = start(client)
    wait_for(killed, runs, "find out which parts it can do on these servers", "hot-synchronization.1")
    kill_all(killed)

    suffer(lab, client, HOT, "the target's disk is full")

    restarted = start(client)
    wait_for(restarted, runs, "all trees", "hot-synchronization.1")
    lab.target.run("systemctl reboot --force --force")
    said, _ = restarted.communicate(timeout=300)
    lab.target.wait()
    assert restarted.returncode == 1, said
    assert "the server restarted" in said

    code, said = finish(client_file(lab, runs, **settings, through="hot-synchronization"))
    assert code == 0, said
    rehearsed = done(runs, "rows of bj-data, proven equal", "hot-synchronization.2")[-1]["row"]
    assert rehearsed["restored"] == 0
    assert 0 < rehearsed["carried"] < rehearsed["rows"] / 10
    sql(lab, AFTER)
    lab.origin.must(f"printf two > '{OVERLOOKED}'; touch -d '2026-03-01 10:00:00.1' '{OVERLOOKED}'")

    client = client_file(lab, runs, **settings)
    suffer(lab, client, COLD, "a process keeps a file open")

    killed = start(client)
    wait_for(killed, runs, "rows of bj-data, proven equal", "cold-synchronization")
    kill_all(killed)

    code, said = finish(client)
    assert code == 0, said
    assert unexpected(lab) == []
    assert lab.target.must(f"cat '{OVERLOOKED}'") == "two"
    moved = done(runs, "what changed in the trees", "cold-synchronization")[-1]["row"]
    assert 0 < moved["transferred"] < moved["files"] / 10
