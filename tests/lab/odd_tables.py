"""Tables that a copy of rows must not take for the usual ones, and what becomes of them between two passes."""

from bmnb.lab import Lab

# no key, rows that are equal, not logged, columns named like those of our own statements, a name that must be quoted, inheritance, partitions, foreign keys, floats
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
CREATE UNLOGGED TABLE odd_unlogged AS SELECT n AS block, n AS items, n AS item, n AS hash FROM generate_series(1, 500) n;
CREATE TABLE odd_names AS SELECT n AS block, n AS items, n AS item, n AS place, n AS hash FROM generate_series(1, 500) n;
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
UPDATE odd_unlogged SET hash = 0 WHERE block % 9 = 0; UPDATE odd_names SET hash = 0 WHERE block % 9 = 0;
DELETE FROM odd_emptied; SELECT setval('"Odd, table_Col 1_seq"', 9000);
SELECT lo_unlink(min(oid)), lo_from_bytea(0, 'new') FROM pg_largeobject_metadata;
"""


def sql(lab: Lab, script: str) -> None:
    psql = "runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 -o /dev/null bj-data"
    lab.origin.must(f"cd / && {psql} <<'END'\n{script}\nEND")
