"""Bring the target's copy of a database to what the origin's holds, at the cost of what changed.

Runs on the target as root, on Python 3.7 or newer with nothing installed; both PostgreSQL from 10 on.

Each row is known by a hash of its text. The first pass restores a dump and remembers where every row of
the copy lies, sorted by hash; the origin remembers the hashes by page (rows.py). From then on a pass, whether the
origin is up or stopped, has the origin read in one snapshot the pages that have changed, and tell which hashes
are there no more, and the rows that are new. A table whose changes it cannot explain is copied whole, and one that
is not logged always. A pass ends with the same number of rows and the same sum of hashes of every table on both. Where
that can't be, the database is dumped and restored as a whole, and what differs then is left to the comparison.

With --replicate this is done for those tables alone that logical replication cannot carry, and the pass waits
until the others have come (see replication.py).
"""

import argparse
import json
import os
import subprocess
import sys
from array import array
from bisect import bisect_left
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from shlex import quote
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from . import rows
from .arrays import view
from .definitions import definitions
from .large_objects import LARGE_OBJECTS, bring_large_object
from .pages import settled
from .postgres import (
    AS_POSTGRES,
    BEGIN,
    LOCAL,
    LOST,
    PLAIN_TEXT,
    Died,
    Failed,
    Lost,
    Session,
    by_name,
    digits,
    failed,
    hash_of_row,
    literal,
    postgres,
    say,
    start_postgresql,
)
from .replication import PROGRAMS, Replication

WITHOUT = "--no-subscriptions"
# those that this program makes on the origin
OF_OURS = "/ PUBLICATION (TABLE |TABLES IN SCHEMA )?[^ ]+ bmnb_/d"
COLLATIONS = "SELECT pg_import_system_collations('pg_catalog')"
MARK = 'ALTER DATABASE "{}" SET bmnb.state TO {}'
MARKED = """SELECT split_part(setting, '=', 2) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
  unnest(setconfig) setting WHERE setrole = 0 AND setting LIKE 'bmnb.state=%' AND datname = {}"""
LOCALE = "SELECT datcollate FROM pg_database WHERE datname = current_database()"
SET_TIME_ZONE = """ALTER DATABASE "{}" SET timezone TO 'GMT'"""

# a partition is a table like others; one that others inherit from has its own rows only
TABLES = f"""SELECT c.oid::regclass, 'ONLY ' || c.oid::regclass,
  string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), {by_name("c.oid")}
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped {{stored}}
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY c.oid ORDER BY pg_relation_size(c.oid) DESC, c.oid::regclass::text"""

SEQUENCES = """SELECT string_agg(format('SELECT %L, last_value, is_called FROM %s', c.oid::regclass, c.oid::regclass),
  ' UNION ALL ') FROM pg_class c WHERE c.relkind = 'S' AND c.relpersistence <> 't'"""

MATERIALIZED = "SELECT oid::regclass FROM pg_class WHERE relkind = 'm' ORDER BY pg_class.oid"

VERSION = "SELECT current_setting('server_version_num')"
EXACT = "SET LOCAL extra_float_digits = 3"
BYTES_A_SESSION = 64 << 20


def dump(snapshot: str, database: str) -> str:
    """The line that dumps what a snapshot sees of a database."""
    return f"{AS_POSTGRES}pg_dump -Fc -Z1 {WITHOUT} --snapshot={snapshot} {quote(database)}"


def kept_dump(database: str) -> str:
    """Where the target keeps a dump until it is restored: PostgreSQL's home is another one in each family."""
    return f"~postgres/bmnb-{database}.dump"


class Entry(NamedTuple):
    """A row of the copy: its hash, and its place as number of its page and item."""

    hash: int
    place: int


class Base:
    """The rows of a table of the copy, sorted by hash: two files of 64-bit numbers; and the sum of the hashes."""

    def __init__(self, path: str, total: int) -> None:
        self.path, self.sum = path, total
        self.hashes, self.places = (view(f"{path}.{part}", "q") for part in ("hash", "place"))

    @classmethod
    def written(cls, path: str, entries: Iterator[Entry]) -> "Base":
        """Write entries that come sorted."""
        total = 0
        with open(f"{path}.hash", "wb") as hashes, open(f"{path}.place", "wb") as places:
            for block in iter(lambda: list(islice(entries, 65536)), []):
                _write(hashes, places, block)
                total += sum(entry.hash for entry in block)
        return cls(path, total)

    def changed(self, path: str, removed: Sequence[int], added: Sequence[Entry]) -> "Base":
        """Write a base without the entries at these positions and with others."""
        added = sorted(added)
        cuts = sorted(
            [(at, True, None) for at in removed]
            + [(bisect_left(self.hashes, entry.hash), False, entry) for entry in added],
            key=lambda cut: (cut[0], cut[1]),
        )
        with open(f"{path}.hash", "wb") as hashes, open(f"{path}.place", "wb") as places:
            position = 0
            for at, is_removed, entry in cuts:
                hashes.write(self.hashes[position:at])
                places.write(self.places[position:at])
                position = at + is_removed
                if entry:
                    _write(hashes, places, [entry])
            hashes.write(self.hashes[position:])
            places.write(self.places[position:])
        gone = sum(self.hashes[at] for at in removed)
        return type(self)(path, self.sum - gone + sum(entry.hash for entry in added))

    def positions(self, hashes: Iterable[int]) -> Optional[List[int]]:
        """Where these hashes are, each of them at another position. None where one is not."""
        found: List[int] = []
        for number, times in Counter(hashes).items():
            first = bisect_left(self.hashes, number)
            if first + times > len(self.hashes) or self.hashes[first + times - 1] != number:
                return None
            found += range(first, first + times)
        return found


def _write(hashes: Any, places: Any, entries: Sequence[Entry]) -> None:
    array("q", [entry.hash for entry in entries]).tofile(hashes)
    array("q", [entry.place for entry in entries]).tofile(places)


class Table(NamedTuple):
    """`rows` names it where rows are read or deleted; `columns` are what is stored, `row` is of all, by name."""

    name: str
    rows: str
    columns: str
    row: str

    @property
    def listed(self) -> str:
        """The columns of a COPY; a table may have none."""
        return self.columns and f"({self.columns})"


class Found(NamedTuple):
    """What of a table has changed on the origin: hashes of rows that are gone, hashes and places of new ones.

    `removed` is None where the table must be copied whole. `rows` and `sum` are what the copy must come to.
    """

    table: Table
    base: Base
    rows: int
    sum: int
    removed: Optional[List[int]]
    new: List[Tuple[int, str]]

    def is_what(self, base: Base) -> bool:
        return (len(base.hashes), base.sum) == (self.rows, self.sum)


class Origin:
    """The origin's database, read in one snapshot."""

    mark: Optional[int] = None
    """The place in the log up to which all changes are in the snapshot; None where that is not known."""

    def __init__(self, shell: Sequence[str], database: str) -> None:
        self.shell, self.database = shell, database
        self.session = Session(shell, database)
        self.version = int(self.session.value(VERSION))

    def begin(self, digits: int, snapshot: str = "") -> None:
        """Open a snapshot, or one that is open already; `since` is the oldest transaction that it may not see."""
        if not snapshot:
            self.mark = settled(self.session)
        self.settings = f"{PLAIN_TEXT}; SET extra_float_digits = {digits}; {BEGIN}"
        self.session.tell(self.settings + (snapshot and f"; SET TRANSACTION SNAPSHOT {literal(snapshot)}"))
        self.snapshot = self.session.value("SELECT pg_export_snapshot()")
        self.since = int(
            self.session.value("SELECT txid_snapshot_xmin(txid_current_snapshot()) % 4294967296")
        )
        self.bytes = int(self.session.value("SELECT pg_database_size(current_database())"))
        stored = "AND a.attgenerated = ''" if self.version >= 120000 else ""
        self.tables = [Table(*row) for row in self.session.rows(TABLES.format(stored=stored))]

    def ask(self, **question: Any) -> Iterator[Dict[str, Any]]:
        """What rows.py tells of this snapshot, see there."""
        begin = f"{self.settings}; SET TRANSACTION SNAPSHOT {literal(self.snapshot)}"
        told = {"database": self.database, "begin": begin, "mark": self.mark, **question}
        command = [*self.shell, rows.line(os.path.dirname(PROGRAMS))]
        asked = subprocess.run(command, input=json.dumps(told).encode(), stdout=subprocess.PIPE, check=False)
        if asked.returncode != 0:
            raise failed("the look at the origin's rows", asked.returncode)
        yield from map(json.loads, asked.stdout.splitlines())


class Pass:
    """One pass over the target's copy of one database."""

    def __init__(self, origin: Origin, copy: str, folder: str, jobs: int, replication: Replication) -> None:
        self.origin, self.copy, self.folder, self.jobs = origin, copy, folder, jobs
        self.replication = replication
        self.name = os.urandom(8).hex()
        self.told = Counter(tables=0, rows=0, carried=0, removed=0, whole=0, restored=0)
        self.by_table: Dict[str, Counter[str]] = {}
        server = Session(LOCAL, "postgres")
        self.oldest = min(int(server.value(VERSION)), origin.version)
        if self.oldest < 100000:
            raise Failed("PostgreSQL is older than 10 on one of the servers: use the engine `literal`")
        self.state = self.last_state(server)
        server.close()
        self.digits = digits(self.oldest)

    def run(self, replicate: bool) -> None:
        schema, found = self.begin(replicate), None
        if self.state.get("schema") != schema or (
            replicate and not self.replication.caught_up(self.origin.session)
        ):
            self.replication.end()
            schema = self.begin_replicated() if replicate else schema
            found = self.restore()
            if replicate:
                self.replication.subscribe()
        self.told["behind"] = self.replication.behind
        try:
            found = self.look() if found is None else found
            self.apply(found, {"schema": schema, "since": self.origin.since})
        except (Lost, Died):
            raise
        except Failed as why:
            self.fall_back(str(why))

    def fall_back(self, why: str) -> None:
        """Leave what pg_dump and pg_restore make of it; whether that is the same, the comparison tells.

        The copy has no state then, so that the next pass begins anew.
        """
        say(f"{why}: {self.origin.database} is dumped and restored as a whole")
        self.told["dumped"] = 1
        self.origin.session.abandon()
        if not self.told["restored"]:
            self.replication.end()
            self.origin = Origin(self.origin.shell, self.origin.database)
            self.begin(False)
            self.restore_dump()

    def begin(self, replicate: bool, snapshot: str = "") -> str:
        """Open the snapshot of this pass; return what the definitions are and how the copy follows them."""
        self.origin.begin(self.digits, snapshot)
        self.tables = self.origin.tables
        if not replicate:
            return definitions(self.origin.session, self.oldest)
        carried = {row[0] for row in self.origin.session.rows(self.replication.not_replicated)}
        self.tables = [table for table in self.tables if table.name in carried]
        self.told["replicated"] = len(self.origin.tables) - len(self.tables)
        return "replicated " + definitions(self.origin.session, self.oldest)

    def begin_replicated(self) -> str:
        """Open the snapshot with which a new slot begins."""
        self.origin.session.tell("ROLLBACK")
        walsender = self.replication.begin()
        schema = self.begin(True, self.replication.snapshot)
        walsender.close()
        return schema

    # what the last pass left: a file, named by a setting of the database, so that both change at once

    def last_state(self, server: Session) -> Dict[str, Any]:
        """Empty where there is no copy, or none that ended."""
        named = server.rows(MARKED.format(literal(self.copy)))
        path = os.path.join(self.folder, named[0][0] if named else "")
        if not os.path.isfile(path):
            return {}
        with open(path) as file:
            return {**json.load(file), "name": os.path.basename(path)}

    def new_path(self) -> str:
        return os.path.join(self.folder, os.urandom(8).hex())

    # a copy from nothing

    def restore(self) -> List[Found]:
        """Restore a dump of the snapshot, and read where each row lies."""
        self.restore_dump()
        session = self.session_on_copy()
        bases = {table.name: self.read_base(session, table) for table in self.tables}
        session.close()
        return [
            Found(table, bases[table.name], told["rows"], told["sum"], [], [])
            for table, told in self.ask(before="", recent="false")
        ]

    def restore_dump(self) -> None:
        """Restore a dump of the snapshot, parallel by table and index.

        Never a physical copy: another distribution's C library sorts text in another order, which breaks
        every text index (wiki.postgresql.org/wiki/Locale_data_changes).
        """
        database = self.origin.database
        kept = kept_dump(database)
        line = dump(self.origin.snapshot, database)
        with subprocess.Popen([*self.origin.shell, line], stdout=subprocess.PIPE) as source:
            postgres(f"sh -c 'umask 077; cat > {kept}'", stdin=source.stdout)
        if source.returncode != 0:
            raise failed(f"pg_dump of {database}", source.returncode)
        postgres(f"dropdb --if-exists {quote(self.copy)}")
        locale = self.origin.session.value(LOCALE)
        postgres(f"createdb -O bj -E UTF8 -l {quote(locale)} -T template0 {quote(self.copy)}")
        postgres(f"psql -Xq -c {quote(SET_TIME_ZONE.format(self.copy))}")
        postgres(f"psql -Xq -o /dev/null -d {quote(self.copy)} -c {quote(COLLATIONS)}")
        listed = f"{kept}.list"
        postgres(f"sh -c {quote(f'pg_restore -l {kept} > {listed} && sed -i -E {quote(OF_OURS)} {listed}')}")
        postgres(f"pg_restore -j {self.jobs} --exit-on-error -L {listed} -d {quote(self.copy)} {kept}")
        postgres(f"vacuumdb -q --analyze-only -d {quote(self.copy)}")
        for file in (kept, listed):
            os.unlink(os.path.expanduser(file))
        # or PostgreSQL writes all this out in the downtime, where it is stopped soon
        postgres("psql -Xq -c CHECKPOINT")
        self.told["restored"] = 1

    def session_on_copy(self) -> Session:
        session = Session(LOCAL, self.copy)
        session.tell(f"{PLAIN_TEXT}; SET extra_float_digits = {self.digits}")
        return session

    def read_base(self, session: Session, table: Table) -> Base:
        rows = session.lines(self.places(table, "ORDER BY 1"))
        return Base.written(self.new_path(), (self.entry(row) for row in rows))

    def entry(self, line: bytes) -> Entry:
        """An answer to `places` as an entry of a base."""
        number, place = line.split(b"\t")
        block, item = place[1:-2].split(b",")
        return Entry(int(number), int(block) << 16 | int(item))

    def places(self, table: Table, rest: str) -> str:
        return f"SELECT {self.hash(table)}, ctid FROM {table.rows} bmnb_row {rest}"

    def hash(self, table: Table) -> str:
        return hash_of_row(self.oldest, table.row)

    # what differs

    def look(self) -> List[Found]:
        recent = f"age(xmin) <= age('{self.state['since']}'::xid)"
        return [
            Found(table, Base(*self.state["bases"][table.name]), *(told[key] for key in Found._fields[2:]))
            for table, told in self.ask(before=self.state["name"], recent=recent)
        ]

    def ask(self, before: str, recent: str) -> Iterator[Tuple[Table, Dict[str, Any]]]:
        """What the origin tells of its tables, compared with the state that it keeps by this name."""
        sessions = max(1, min(self.jobs, 1 + self.origin.bytes // BYTES_A_SESSION, len(self.tables)))
        told = self.origin.ask(
            tables=[(table.name, table.rows, self.hash(table)) for table in self.tables],
            recent=recent,
            jobs=sessions,
            folder=f"{self.folder}-rows",
            before=before,
            after=self.name,
        )
        by_name = {one["table"]: one for one in told}
        return ((table, by_name[table.name]) for table in self.tables)

    # bringing it over

    def apply(self, found: Sequence[Found], state: Dict[str, Any]) -> None:
        """Bring tables, sequences and large objects over in one transaction, and the new state with it."""
        self.target = self.session_on_copy()
        try:
            self.bring_all(found, state)
        except Failed:
            self.target.abandon()
            raise

    def bring_all(self, found: Sequence[Found], state: Dict[str, Any]) -> None:
        self.target.tell("BEGIN; SET LOCAL session_replication_role = replica")
        bases = {one.table.name: self.bring(one) for one in found}
        self.bring_large_objects()
        self.bring_sequences()
        for (name,) in self.target.rows(MATERIALIZED):
            self.target.tell(f"REFRESH MATERIALIZED VIEW {name}")
        path = os.path.join(self.folder, self.name)
        with open(path, "w") as file:
            json.dump({**state, "bases": {name: (base.path, base.sum) for name, base in bases.items()}}, file)
            file.flush()
            os.fsync(file.fileno())
        self.target.tell(f"{MARK.format(self.copy, literal(self.name))}; COMMIT")
        self.target.close()
        kept = {path} | {f"{base.path}.{part}" for base in bases.values() for part in ("hash", "place")}
        for name in os.listdir(self.folder):
            if os.path.join(self.folder, name) not in kept:
                os.unlink(os.path.join(self.folder, name))

    def bring(self, one: Found) -> Base:
        """Make a table of the copy equal; return its new base."""
        self.told.update(tables=1)
        self.by_table[one.table.name] = Counter(rows=0, carried=0, removed=0)
        self.count(one.table, rows=one.rows)
        base = self.bring_changes(one)
        if not base or not one.is_what(base):
            base = self.bring_whole(one)
            if not one.is_what(base):
                raise Failed(f"{one.table.name}: copied whole, and still not equal")
        return base

    def bring_changes(self, one: Found) -> Optional[Base]:
        """None where what the origin tells is no way from this base."""
        positions = None if one.removed is None else one.base.positions(one.removed)
        if positions is None:
            return None
        if not one.removed and not one.new:
            return one.base
        say(f"{one.table.name}: {len(one.new)} rows brought, {len(positions)} removed")
        self.remove(one, positions)
        added = self.bring_new(one) if one.new else []
        self.count(one.table, carried=len(added), removed=len(positions))
        return one.base.changed(self.new_path(), positions, added)

    def bring_new(self, one: Found) -> List[Entry]:
        """Bring the new rows; return where they lie."""
        places = ",".join(f'"{place}"' for _, place in one.new)
        self.bring_rows(one.table, f"WHERE ctid = ANY ('{{{places}}}'::tid[])")
        transaction = self.target.value("SELECT txid_current() % 4294967296")
        written = self.places(one.table, f"WHERE xmin = '{transaction}'::xid")
        added = [self.entry(line) for line in self.target.lines(written)]
        if Counter(new.hash for new in added) != Counter(number for number, _ in one.new):
            raise Failed(f"{one.table.name}: the rows read back are not those that were sent")
        return added

    def bring_whole(self, one: Found) -> Base:
        say(f"{one.table.name} is copied whole")
        self.target.tell(f"DELETE FROM {one.table.rows}")
        self.bring_rows(one.table, "")
        base = self.read_base(self.target, one.table)
        self.count(one.table, whole=1, carried=len(base.hashes), removed=len(one.base.hashes))
        return base

    def count(self, table: Table, **numbers: int) -> None:
        self.told.update(numbers)
        self.by_table[table.name].update(numbers)

    def parts(self) -> Iterator[Dict[str, Any]]:
        """A row a table: how it came, and its numbers where they are known."""
        for table in self.origin.tables:
            named = {"database": self.origin.database, "table": table.name}
            numbers = None if self.told["dumped"] else self.by_table.get(table.name)
            if self.told["dumped"]:
                yield {**named, "how": "dump"}
            elif numbers is None:
                yield {**named, "how": "replication"}
            else:
                as_ever = "first copy" if self.told["restored"] else "changes"
                how = "whole table" if numbers.pop("whole", 0) else as_ever
                yield {**named, "how": how, **numbers}

    def bring_rows(self, table: Table, where: str) -> None:
        source = f"{EXACT}; COPY (SELECT {table.columns} FROM {table.rows} bmnb_row {where}) TO STDOUT"
        self.copy_in(table, self.origin.session.lines(source))

    def remove(self, one: Found, positions: Sequence[int]) -> None:
        places = (one.base.places[at] for at in positions)
        listed = ",".join(f'"({place >> 16},{place & 0xFFFF})"' for place in places)
        rows = f"DELETE FROM {one.table.rows} bmnb_row WHERE ctid = ANY ('{{{listed}}}'::tid[])"
        gone = Counter(int(line) for line in self.target.lines(f"{rows} RETURNING {self.hash(one.table)}"))
        if gone != Counter(one.removed or ()):
            raise Failed(f"{one.table.name}: the copy is not as the last pass left it")

    def copy_in(self, table: Table, rows: Iterable[bytes]) -> None:
        self.target.send([f"COPY {table.name} {table.listed} FROM STDIN;\n".encode()])
        self.target.send(rows)
        self.target.send([b"\\.\n"])

    def bring_sequences(self) -> None:
        union = self.origin.session.value(SEQUENCES)
        if not union:
            return
        wanted = self.origin.session.rows(union)
        for name, last, called in wanted:
            self.target.value(f"SELECT setval({literal(name)}, {last}, '{called}')")
        if sorted(self.target.rows(union)) != sorted(wanted):
            raise Failed("sequences differ")

    def bring_large_objects(self) -> None:
        wanted, have = (
            {row[0]: row for row in session.rows(LARGE_OBJECTS)}
            for session in (self.origin.session, self.target)
        )
        for number in wanted.keys() | have.keys():
            if wanted.get(number) == have.get(number):
                continue
            if number in have:
                self.target.value(f"SELECT lo_unlink({number})")
            if number in wanted:
                bring_large_object(self.origin.session, self.target, number, owner=wanted[number][1])
        if {row[0]: row for row in self.target.rows(LARGE_OBJECTS)} != wanted:
            raise Failed("large objects differ")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("database")
    parser.add_argument("copy", help="its name on the target until it takes its place")
    parser.add_argument("folder", help="where the target keeps what this pass leaves to the next")
    parser.add_argument("jobs", type=int, help="sessions on the origin, and jobs of the restore")
    parser.add_argument("--replicate", action="store_true", help="have changes come by logical replication")
    parser.add_argument("ssh", nargs="+", help="the command that runs a line on the origin")
    given = parser.parse_args()
    os.makedirs(given.folder, mode=0o700, exist_ok=True)
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(start_postgresql, (given.ssh, LOCAL)))
        replication = Replication(given.ssh, given.database, given.copy)
        one = Pass(Origin(given.ssh, given.database), given.copy, given.folder, given.jobs, replication)
        one.run(given.replicate)
    except Lost as error:
        say(str(error))
        sys.exit(LOST)
    except (Failed, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
    print(json.dumps({**one.told, "parts": list(one.parts())}))


if __name__ == "__main__":
    main()
