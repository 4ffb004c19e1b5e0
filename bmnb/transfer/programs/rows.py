"""Which rows of the origin's database have changed since an earlier pass, at the cost of the pages that have.

Runs on the origin as root, on Python 3.7 or newer with nothing installed; carry_database asks it, by a question
as JSON on standard input, and reads a JSON line a table.

A pass leaves the hash of each row's text in the order of the pages, in a folder of its own. The next one reads the
pages that have changed since, and tells the hashes that are there no more, and those of rows that are recent,
which means that the earlier snapshot may not have seen them, with their places. A table that lies in another file
by now (TRUNCATE, VACUUM FULL) must be copied whole, and so must one that is not logged, which is empty after a crash
of either server's PostgreSQL.
"""

import json
import os
import shutil
import sys
from array import array
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, chain
from typing import IO, Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .arrays import view
from .pages import ANY_PAGE, Changed, Lies, by_page, changed, lying
from .postgres import LOCAL, PLAIN_SESSION, Failed, Session, say

TABLES = "tables"
"""The file with what a pass has left of each table."""

TOLD = """string_agg(hash::text, ' ') FILTER (WHERE NOT recent),
    string_agg(hash || '@' || place, ' ') FILTER (WHERE recent)"""


def line(folder: str) -> str:
    """The line that the origin does for it; `folder` is that of the programs' folder."""
    return f"cd {folder} && python3 -m programs.rows"


class Page(NamedTuple):
    """The hashes of a page's rows, and those that are recent with their places."""

    block: int
    old: List[int]
    new: List[Tuple[int, str]]

    @property
    def hashes(self) -> List[int]:
        return self.old + [one for one, _ in self.new]


def parsed(line: bytes) -> Page:
    block, old, new = line.decode().rstrip("\n").split("\t")
    recent = (one.split("@") for one in new.split())
    return Page(int(block), [int(one) for one in old.split()], [(int(one), place) for one, place in recent])


PARTS = (".counts", ".hashes")


class Kept:
    """The hashes of a table's rows in the order of its pages, and how many each page has."""

    def __init__(self, counts: Any, hashes: Any) -> None:
        self.counts, self.hashes = counts, hashes
        self.starts = array("q", chain((0,), accumulate(counts)))

    @classmethod
    def read(cls, path: str) -> "Kept":
        return cls(*(view(path + part, code) for part, code in zip(PARTS, "Hq")))

    def between(self, first: int, end: int) -> Any:
        """The hashes of the pages from the first on up to the end."""
        last = len(self.counts)
        return self.hashes[self.starts[min(first, last)] : self.starts[min(end, last)]]


NOTHING = Kept(array("H"), array("q"))


class Writer:
    """Writes hashes page after page, and counts them."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.counts, self.sum = file, array("H"), 0

    def copy(self, kept: Kept, end: int) -> None:
        """The pages that come next, up to the end."""
        first = len(self.counts)
        hashes = kept.between(first, end)
        self.file.write(hashes)
        self.counts.extend(kept.counts[first:end])
        self.sum += sum(hashes)

    def page(self, block: int, hashes: Sequence[int]) -> None:
        if block < len(self.counts):
            raise Failed("pages came in another order than was asked for")
        self.counts.extend([0] * (block - len(self.counts)))
        array("q", hashes).tofile(self.file)
        self.counts.append(len(hashes))
        self.sum += sum(hashes)


class Changes:
    """What of a table has changed: hashes that are there no more, recent ones with their places."""

    def __init__(self) -> None:
        self.removed: List[int] = []
        self.new: List[Tuple[int, str]] = []
        self.explained = True

    def add(self, kept: Iterable[int], page: Page) -> None:
        gone = Counter(kept)
        gone.subtract(page.old)
        self.removed += gone.elements()
        self.new += page.new
        # less than none: a row that came, though it is not recent
        self.explained = self.explained and min(gone.values(), default=0) >= 0


class Table(NamedTuple):
    """A table of the question as it is now."""

    number: int
    name: str
    rows: str
    hash: str
    lies: Lies


class Question(NamedTuple):
    """`begin` opens the snapshot; `mark` is the place in the log up to which all is in it, None where unknown.

    A table is its name, as which its rows are read, and the hash of a row. `recent` is told of a row; `before` and
    `after` name the states of the earlier pass and of this.
    """

    database: str
    begin: str
    mark: Optional[int]
    tables: List[Tuple[str, str, str]]
    recent: str
    jobs: int
    folder: str
    before: str
    after: str


class Answer:
    """What has become of the tables."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.old, self.new = (
            os.path.join(question.folder, name) for name in (question.before, question.after)
        )
        self.before = _state(self.old) if question.before else {}
        self.after: Dict[str, Any] = {}

    def tell(self) -> Iterator[Dict[str, Any]]:
        self.tidy()
        session = self.session()
        tables = list(self.tables(session))
        found = changed(session, [(table.lies, self.since(table)) for table in tables])
        session.close()
        shares = [tables[number :: self.question.jobs] for number in range(self.question.jobs)]
        with ThreadPoolExecutor(self.question.jobs) as pool:
            for told in pool.map(lambda share: list(self.look(share, found)), shares):
                yield from told
        with open(os.path.join(self.new, TABLES), "w") as file:
            json.dump(self.after, file)

    def tidy(self) -> None:
        """Whatever a pass has left that came to no end is of no use."""
        os.makedirs(self.question.folder, mode=0o700, exist_ok=True)
        for name in os.listdir(self.question.folder):
            if name != self.question.before:
                shutil.rmtree(os.path.join(self.question.folder, name))
        os.mkdir(self.new)

    def session(self) -> Session:
        session = Session(LOCAL, self.question.database)
        session.tell(f"{PLAIN_SESSION}; {self.question.begin}")
        return session

    def tables(self, session: Session) -> Iterator[Table]:
        names = [name for name, _, _ in self.question.tables]
        for number, lies in enumerate(lying(session, names)):
            yield Table(number, *self.question.tables[number], lies)

    def since(self, table: Table) -> int:
        """The place in the log up to which the state tells of a table's pages."""
        return int(self.before[table.name]["mark"]) if table.lies.logged and self.is_kept(table) else ANY_PAGE

    def is_kept(self, table: Table) -> bool:
        return table.name in self.before and self.before[table.name]["file"] == table.lies.file

    def look(self, tables: Sequence[Table], changed: Sequence[Changed]) -> Iterator[Dict[str, Any]]:
        session = self.session()
        for table in tables:
            yield self.look_at(session, table, changed[table.number])
        session.close()

    def look_at(self, session: Session, table: Table, changed: Changed) -> Dict[str, Any]:
        """Tell of a table; `removed` is None where it must be copied whole."""
        is_kept, kept, changes = self.is_kept(table), self.before.get(table.name, {}), Changes()
        # it may have fewer pages than it had
        for block in range(table.lies.pages, kept["pages"] if is_kept else 0):
            changed.add(block, 0)
        if changed.blocks or not is_kept:
            kept = self.read(session, table, changed, changes)
        else:
            for part in PARTS:
                os.link(os.path.join(self.old, kept["kept"] + part), self.path(table) + part)
        mark = self.since(table) if self.question.mark is None else self.question.mark
        self.after[table.name] = {**kept, "file": table.lies.file, "mark": mark, "kept": str(table.number)}
        is_way = is_kept and changes.explained and table.lies.logged
        told = {"table": table.name, "rows": kept["rows"], "sum": kept["sum"], "new": changes.new}
        return {**told, "removed": changes.removed if is_way else None}

    def path(self, table: Table) -> str:
        return os.path.join(self.new, str(table.number))

    def read(self, session: Session, table: Table, changed: Changed, changes: Changes) -> Dict[str, Any]:
        """Read the changed pages, and leave the hashes of all."""
        is_kept = self.is_kept(table)
        kept = Kept.read(os.path.join(self.old, self.before[table.name]["kept"])) if is_kept else NOTHING
        with open(f"{self.path(table)}.hashes", "wb") as hashes:
            writer = Writer(hashes)
            for page in self.pages(session, table, changed):
                writer.copy(kept, page.block)
                writer.page(page.block, page.hashes)
                if is_kept:
                    changes.add(kept.between(page.block, page.block + 1), page)
            writer.copy(kept, len(kept.counts))
        with open(f"{self.path(table)}.counts", "wb") as counts:
            writer.counts.tofile(counts)
        rows = sum(writer.counts)
        if changed.blocks:
            say(f"{table.name}: {rows} rows, {len(changed.blocks)} of {table.lies.pages} pages read")
        return {"pages": len(writer.counts), "rows": rows, "sum": writer.sum}

    def pages(self, session: Session, table: Table, changed: Changed) -> Iterator[Page]:
        pages = zip(changed.blocks, changed.items)
        row = f"{table.hash} AS hash, {self.question.recent} AS recent"
        for read in by_page(pages, TOLD, row, table.rows):
            yield from map(parsed, session.lines(read))


def _state(folder: str) -> Dict[str, Any]:
    """What a pass has left of each table; nothing where it is not there any more."""
    path = os.path.join(folder, TABLES)
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        found: Dict[str, Any] = json.load(file)
    return found


def main() -> None:
    try:
        for told in Answer(Question(**json.load(sys.stdin))).tell():
            print(json.dumps(told))
    except (Failed, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
