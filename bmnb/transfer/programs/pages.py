"""Which pages of a table have changed: PostgreSQL writes into each where in its log the last change is told.

So the place in the log (LSN) at the head of a page is the proof that no row of it has changed since an earlier
place (postgresql.org/docs/current/storage-page-layout.html). Pages are read from the files, which are what the
sessions see after a CHECKPOINT. Servers with the lowest byte first; tables that are not logged have no such places.
"""

from itertools import islice
from typing import Iterator, Tuple

BYTES_AT_ONCE = 1 << 20


def _number(byte: int) -> str:
    """Four bytes of a page's head as a number."""
    shifted = (f"(get_byte(head, {byte + place})::bigint << {8 * place})" for place in range(4))
    return f"({' + '.join(shifted)})"


# of its first 14 bytes the first 8 are the place in the log, the last 2 where the list of items ends after byte 24
LSN = f"(({_number(0)} << 32) + {_number(4)})"
ITEMS = "greatest(0, (get_byte(head, 12) + (get_byte(head, 13) << 8) - 24) / 4)"

NOW = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
"""The place in the log up to now."""

# OFFSET 0 keeps PostgreSQL from reading a file anew for each page of it
CHANGED = f"""SELECT number, block, items FROM (
  SELECT number, since, first + n AS block, substr(read, (n * size + 1)::integer, 14) AS head FROM (
    SELECT asked.*, first, size, pg_read_binary_file(
      path || CASE WHEN first < segment THEN '' ELSE '.' || first / segment END,
      first % segment * size, {BYTES_AT_ONCE}, true) AS read
    FROM (VALUES {{asked}}) asked(number, name, since),
      LATERAL (SELECT pg_relation_filepath(asked.name) AS path) file,
      LATERAL (SELECT current_setting('block_size')::bigint AS size) page,
      LATERAL (SELECT pg_size_bytes(current_setting('segment_size')) / size AS segment) part,
      LATERAL generate_series(0, pg_relation_size(asked.name) / size - 1, {BYTES_AT_ONCE} / size) first
    OFFSET 0) files,
  LATERAL generate_series(0, length(read)::bigint / size - 1) n
  OFFSET 0) pages,
  LATERAL (SELECT {LSN} AS lsn, {ITEMS} AS items OFFSET 0) told
WHERE lsn > since"""
"""The pages that have changed, each with the number of items it has room for; {asked} are rows of number, name, since."""


SOME = 4096
"""Pages that are read by one statement."""


def by_page(pages: Iterator[Tuple[int, int]], hash: str, recent: str, rows: str) -> Iterator[str]:
    """Statements that read these pages, given with the number of items of each.

    They tell of each page the hashes of the rows that are not recent, and hash@place of those that are.
    """
    for part in iter(lambda: list(islice(pages, SOME)), []):
        blocks, items = (",".join(map(str, column)) for column in zip(*part))
        yield f"""SELECT block, old, new
FROM unnest('{{{blocks}}}'::bigint[], '{{{items}}}'::integer[]) page(block, items), LATERAL (
  SELECT string_agg(hash::text, ' ') FILTER (WHERE NOT recent) AS old,
    string_agg(hash || '@' || place, ' ') FILTER (WHERE recent) AS new
  FROM (SELECT ctid AS place, {hash} AS hash, {recent} AS recent FROM {rows} bmnb_row WHERE ctid = ANY (ARRAY(
    SELECT format('(%s,%s)', block, item)::tid FROM generate_series(1, items) item)) OFFSET 0) found) told"""
