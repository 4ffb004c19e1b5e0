"""The rows of each table of a database: how many, and the sum of their hashes, at the cost of what has changed.

Runs on a server as root, on Python 3.7 or newer with nothing installed. The first look reads every row, and leaves
number and sum of each page; the next ones read the pages that have changed since, and a sample of the others: where
one of those is not as it was left, every row is read again.

Prints a line of JSON for each table, then how many pages were read by an earlier look alone.
"""

import argparse
import json
import os
import random
import sys
from array import array
from bisect import bisect_left
from itertools import chain
from math import ceil
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Set, Tuple

from .arrays import view
from .definitions import definitions
from .pages import ANY_PAGE, Changed, Lies, by_page, changed, lying, settled
from .postgres import (
    BEGIN,
    LOCAL,
    PLAIN_SESSION,
    PLAIN_TEXT,
    Failed,
    Session,
    by_name,
    digits,
    hash_of_row,
    say,
)

SAMPLE = 0.01
SUMS = 1 << 64
"""Sums of hashes are told modulo this, so that one of a page has eight bytes."""

# those of a partitioned table are told with it; one that others inherit from has its own rows only
TABLES = f"""WITH RECURSIVE every AS (
  SELECT c.oid, c.oid AS root FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\\_%'
    AND n.nspname <> 'information_schema' AND NOT EXISTS (
      SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
  UNION ALL SELECT c.oid, root FROM every JOIN pg_inherits ON inhparent = every.oid
  JOIN pg_class c ON c.oid = inhrelid AND c.relispartition)
SELECT (SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = root),
  every.oid::regclass, relkind = 'r', {by_name("every.oid")} FROM every JOIN pg_class USING (oid) ORDER BY 1, 2"""


class Stale(Exception):
    """A page is not as it was left, though nothing tells that it has changed."""


class Table(NamedTuple):
    """A table that has rows of its own, and the one with which they are told."""

    root: str
    name: str
    row: str


def sampled(known: Sequence[int]) -> Iterator[Set[int]]:
    """Some of so many pages of each table: one in a hundred of all, and one at least."""
    number, first = sum(known), 0
    chosen = sorted(random.sample(range(number), ceil(number * SAMPLE)))
    for pages in known:
        within = chosen[bisect_left(chosen, first) : bisect_left(chosen, first + pages)]
        yield {one - first for one in within}
        first += pages


class Look:
    """One look at the tables of a database; `before` is what the last one has left."""

    def __init__(self, session: Session, folder: str, oldest: int) -> None:
        self.session, self.folder, self.oldest = session, folder, oldest
        session.tell(f"{PLAIN_SESSION}; {PLAIN_TEXT}; SET extra_float_digits = {digits(oldest)}")
        self.mark = settled(session)
        session.tell(BEGIN)
        which = "SELECT oid FROM pg_database WHERE datname = current_database()"
        # a change of these changes the text of rows, and no page
        self.defined = f"{session.value(which)} {oldest < 110000} {definitions(session, oldest)}"
        self.before = self.last_state()
        self.earlier = 0

    def last_state(self) -> Dict[str, Any]:
        path = os.path.join(self.folder, "state")
        if os.path.exists(path):
            with open(path) as file:
                state: Dict[str, Any] = json.load(file)
            if state["defined"] == self.defined:
                return state
        return {"tables": {}}

    def tell(self) -> Iterator[str]:
        """The lines to print."""
        told = self.session.rows(TABLES)
        tables = [Table(root, name, row) for root, name, has_rows, row in told if has_rows == "t"]
        sums = {root: (0, 0) for root, *_ in told}
        try:
            found = self.look(tables)
        except Stale as why:
            say(f"{why}: every row is read again")
            self.before, self.earlier = {"tables": {}}, 0
            found = self.look(tables)
        for table, (rows, total) in zip(tables, found):
            others = sums[table.root]
            sums[table.root] = others[0] + rows, (others[1] + total) % SUMS
        for name, (rows, total) in sums.items():
            yield json.dumps(["table", name, f"{rows} rows, sum {total}"])
        yield json.dumps(["read before", "pages", str(self.earlier)])

    def look(self, tables: List[Table]) -> List[Tuple[int, int]]:
        """Number of rows and sum of hashes of each table; leaves what the next look needs."""
        lies = list(lying(self.session, [table.name for table in tables]))
        asked = [(one, self.since(table, one)) for table, one in zip(tables, lies)]
        samples = sampled([self.known(table, one) for table, one in zip(tables, lies)])
        kept, state, sums, first = f"pages-{os.urandom(8).hex()}", {}, [], 0
        with open(os.path.join(self.folder, kept), "wb") as file:
            for table, (one, since), pages, sample in zip(
                tables, asked, changed(self.session, asked), samples
            ):
                numbers = self.look_at(table, one, pages, sample)
                numbers.tofile(file)
                sums.append((sum(numbers[::2]), sum(numbers[1::2])))
                mark = since if self.mark is None else self.mark
                state[table.name] = {"file": one.file, "mark": mark, "first": first, "pages": one.pages}
                first += one.pages
        self.leave({"defined": self.defined, "kept": kept, "tables": state})
        return sums

    def since(self, table: Table, lies: Lies) -> int:
        """The place in the log up to which is known what is in its pages."""
        kept = self.before["tables"].get(table.name, {})
        return int(kept["mark"]) if lies.logged and kept.get("file") == lies.file else ANY_PAGE

    def known(self, table: Table, lies: Lies) -> int:
        """How many of its pages were read before."""
        is_known = self.since(table, lies) != ANY_PAGE
        return min(int(self.before["tables"][table.name]["pages"]), lies.pages) if is_known else 0

    def look_at(self, table: Table, lies: Lies, changed: Changed, sample: Set[int]) -> Any:
        """Number of rows and sum of hashes of each page of a table, one after the other."""
        known, numbers = self.known(table, lies), array("Q")
        if known:
            numbers.extend(self.left(table)[: 2 * known])
        numbers.extend(array("Q", bytes(2 * numbers.itemsize * (lies.pages - known))))
        # what came after the count of the pages, no row of this snapshot lies in
        pages = ((block, items) for block, items in zip(changed.blocks, changed.items) if block < lies.pages)
        sample.difference_update(changed.blocks)
        for block, *found in self.read(table, chain(pages, ((one, lies.items) for one in sample))):
            at = slice(2 * block, 2 * block + 2)
            if block in sample and numbers[at] != array("Q", found):
                raise Stale(f"{table.name}: page {block} is not as it was left")
            numbers[at] = array("Q", found)
        self.earlier += lies.pages - len(changed.blocks) - len(sample)
        return numbers

    def read(self, table: Table, pages: Iterator[Tuple[int, int]]) -> Iterator[Tuple[int, int, int]]:
        """Of each page its number, the number of its rows and the sum of their hashes."""
        told, row = "count(*), coalesce(sum(hash), 0)", f"{hash_of_row(self.oldest, table.row)} AS hash"
        for statement in by_page(pages, told, row, f"ONLY {table.name}"):
            for line in list(self.session.lines(statement)):
                block, rows, total = map(int, line.split())
                yield block, rows, total % SUMS

    def left(self, table: Table) -> Any:
        kept = self.before["tables"][table.name]
        numbers = view(os.path.join(self.folder, self.before["kept"]), "Q")
        return numbers[2 * kept["first"] : 2 * (kept["first"] + kept["pages"])]

    def leave(self, state: Dict[str, Any]) -> None:
        path = os.path.join(self.folder, "state")
        with open(f"{path}.new", "w") as file:
            json.dump(state, file)
        os.replace(f"{path}.new", path)
        for name in os.listdir(self.folder):
            if name not in ("state", state["kept"]):
                os.unlink(os.path.join(self.folder, name))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("database")
    parser.add_argument("folder", help="where it leaves what the next look needs")
    parser.add_argument("oldest", type=int, help="the number of the older PostgreSQL of both servers")
    given = parser.parse_args()
    os.makedirs(given.folder, mode=0o700, exist_ok=True)
    try:
        for line in Look(Session(LOCAL, given.database), given.folder, given.oldest).tell():
            print(line)
    except (Failed, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
