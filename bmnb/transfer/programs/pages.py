"""Which pages of a table have changed: PostgreSQL writes into each where in its log the last change is told.

So the place in the log (LSN) at the head of a page is the proof that no row of it has changed since an earlier
place (postgresql.org/docs/current/storage-page-layout.html). Pages are read from the files, which are what the
sessions see after a CHECKPOINT. Tables that are not logged have no such places.
"""

import os
import time
from array import array
from itertools import count, islice
from struct import Struct
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .postgres import Failed, Session, literal

PAGES_AT_ONCE = 256

NOW = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
"""The place in the log up to now."""

ANY_PAGE = -1
"""Before every place in the log."""

ITEM_BYTES = 28
"""A page has no more items than this goes into it: the head of a row and where it lies."""

HEAD_BYTES, ITEM_POINTER_BYTES = 24, 4

SETTLED_SECONDS = 10.0
"""So long is waited for the transactions under way; where some go on, more pages are read the next time."""

LIES = f"""SELECT pg_relation_filenode(oid), relpersistence = 'p', pg_relation_size(oid) / size, size / {ITEM_BYTES},
  current_setting('data_directory') || '/' || pg_relation_filepath(oid), size
FROM unnest(ARRAY[{{}}]) WITH ORDINALITY asked(name, number)
LEFT JOIN pg_class ON oid = to_regclass(name), current_setting('block_size') told, LATERAL (SELECT told::bigint AS size) page
ORDER BY number"""


def settled(session: Session) -> Optional[int]:
    """The place in the log up to which the next snapshot sees all that was written; None where that is not known.

    Waits for the transactions that may have written what no snapshot sees yet.
    """
    mark = int(session.value(NOW))
    # a number of its own: what a snapshot calls the next one may be under way already
    last = int(session.value("SELECT txid_current()"))
    until = time.monotonic() + SETTLED_SECONDS
    while int(session.value("SELECT txid_snapshot_xmin(txid_current_snapshot())")) <= last:
        if time.monotonic() > until:
            return None
        time.sleep(0.05)
    return mark


class Lies(NamedTuple):
    """Where a table lies: the number of its file, how many pages of how many items at most; whether it is logged.

    `path` is that of its first file; `size` the bytes of a page.
    """

    file: int
    logged: bool
    pages: int
    items: int
    path: str
    size: int


def lying(session: Session, tables: Sequence[str]) -> Iterator[Lies]:
    if not tables:
        return
    told = session.rows(LIES.format(", ".join(map(literal, tables))))
    for name, (file, logged, pages, items, path, size) in zip(tables, told):
        if not file:
            raise Failed(f"{name} has gone meanwhile")
        yield Lies(int(file), logged == "t", int(pages), int(items), path, int(size))


class Changed:
    """The changed pages of a table, in their order, and how many items each has."""

    def __init__(self) -> None:
        self.blocks, self.items = array("I"), array("H")

    def add(self, block: int, items: int) -> None:
        self.blocks.append(block)
        self.items.append(items)


def changed(session: Session, asked: Sequence[Tuple[Lies, int]]) -> List[Changed]:
    """The pages of these tables that have changed since a place in the log, given with each.

    Of a table that is not logged these are all, since a CHECKPOINT does not write them to its file.
    """
    if any(lies.logged for lies, _ in asked):
        # all that a snapshot sees is in the files then
        session.tell("CHECKPOINT")
    return [_changed(lies, since) for lies, since in asked]


def _changed(lies: Lies, since: int) -> Changed:
    found = Changed()
    if lies.logged:
        for block, (high, low, _, _, end) in enumerate(_heads(lies)):
            if (high << 32) + low > since:
                found.add(block, max(0, end - HEAD_BYTES) // ITEM_POINTER_BYTES)
    else:
        for block in range(lies.pages):
            found.add(block, lies.items)
    return found


def _heads(lies: Lies) -> Iterator[Tuple[int, ...]]:
    """Of each page the two halves of its place in the log, two other numbers, and where its list of items ends."""
    pages = Struct(f"=IIHHH{lies.size - 14}x")
    for number in count():
        path = f"{lies.path}.{number}" if number else lies.path
        # the files after the last one are not there, nor is one that was emptied meanwhile
        if not os.path.exists(path):
            return
        with open(path, "rb") as file:
            for part in iter(lambda: file.read(PAGES_AT_ONCE * lies.size), b""):
                # a page that is being added may be there in part
                yield from pages.iter_unpack(part[: len(part) // lies.size * lies.size])


SOME = 4096
"""Pages that are read by one statement."""


def by_page(pages: Iterator[Tuple[int, int]], told: str, row: str, rows: str) -> Iterator[str]:
    """Statements that read these pages, given with the number of items of each.

    They tell of each page its number and what is `told`, of its rows as the columns of `row`; `place` is one more.
    """
    for part in iter(lambda: list(islice(pages, SOME)), []):
        blocks, items = (",".join(map(str, column)) for column in zip(*part))
        yield f"""SELECT page.block, told.*
FROM unnest('{{{blocks}}}'::bigint[], '{{{items}}}'::integer[]) page(block, items), LATERAL (
  SELECT {told} FROM (SELECT ctid AS place, {row} FROM {rows} bmnb_row WHERE ctid = ANY (ARRAY(
    SELECT format('(%s,%s)', page.block, item)::tid FROM generate_series(1, page.items) item)) OFFSET 0) found) told"""
