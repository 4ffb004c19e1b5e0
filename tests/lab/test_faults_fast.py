"""The same story with the fast engine, which also gets odd tables, and a file that no time gives away."""

from tests.lab.test_faults import *  # noqa: F403
from tests.lab.test_faults import Story, journal

OVERLOOKED = "/var/spool/bm-docs/rewritten within the second"

# no key, rows that are equal, a name that must be quoted, inheritance, partitions, foreign keys, floats
TABLES = """
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
CHANGES = """
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


def done(sql: str, content: str) -> str:
    """A script that changes the database, and writes the file without its time telling."""
    psql = "cd /; runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 -o /dev/null bj-data"
    write = f"printf {content} > '{OVERLOOKED}'; touch -d '2026-03-01 10:00:00.1' '{OVERLOOKED}'"
    return f"{write}\n{psql} <<'END'\n{sql}\nEND"


ENGINE = "fast"
AT_FIRST, MEANWHILE = done(TABLES, "one"), done(CHANGES, "two")


def test_the_cold_passes_moved_what_had_changed(story: Story):
    """Rows that one of them has brought are there for the next; trees are brought again until one comes to its end."""
    done = [
        line for line in journal(story.runs) if line["event"] == "done" and "cold" in line.get("action", "")
    ]
    rows, trees = (
        [line["row"] for line in done if line["title"] == title]
        for title in ("rows of bj-data, proven equal", "what changed in the trees")
    )
    assert {one["restored"] for one in rows} == {0}
    assert 0 < sum(one["carried"] for one in rows) < rows[-1]["rows"] / 5, (
        "the table of equal rows comes whole"
    )
    assert 0 < trees[-1]["transferred"] < trees[-1]["files"] / 10
