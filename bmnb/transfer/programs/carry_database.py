"""Bring the target's copy of a database to what the origin's holds, at the cost of what changed.

Runs on the target as root, on Python 3.7 or newer with nothing installed; both PostgreSQL from 10 on.

Each row is known by a hash of its text. The first pass restores a dump and remembers where every row of
the copy lies, sorted by hash. From then on a pass, whether the origin is up or stopped, reads the origin in
one snapshot: for each of many small buckets of hashes how many rows it has and the sum of their hashes,
and in full those rows that were written since the last pass, known by their xmin. What the sums of the copy
have too much is then the sum of the rows to remove, and in a bucket of a few rows it tells which ones.
xmin is a hint only: where the sums cannot be explained, the table is copied whole. A pass ends with sums
that are equal in every bucket, or it fails.

With --replicate this is done for those tables alone that logical replication cannot carry, and the pass waits
until the others have come (see replication.py).
"""

import argparse
import json
import mmap
import os
import subprocess
import sys
from array import array
from bisect import bisect_left
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, islice
from math import log2
from shlex import quote
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .postgres import (
    AS_POSTGRES,
    LOCAL,
    LOST,
    PLAIN_TEXT,
    Failed,
    Lost,
    Session,
    failed,
    literal,
    postgres,
    say,
    start_postgresql,
)
from .replication import Replication

ROWS_A_BUCKET = 16
FEW = 1_000
MOST_TRIED = 100_000
"""Choices of rows that are tried for one bucket; where more would be needed, the table is copied whole."""

WITHOUT = "--no-publications --no-subscriptions"
UNCOMMENT = 'COMMENT ON DATABASE "{}" IS NULL'
SET_TIME_ZONE = """ALTER DATABASE "{}" SET timezone TO 'GMT'"""

# a table that others inherit from has its own rows only; a partitioned one has none but its partitions'
TABLES = """SELECT c.oid::regclass, CASE c.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || c.oid::regclass, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped {stored}
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY c.oid, c.relkind ORDER BY c.relkind, pg_total_relation_size(c.oid) DESC, c.oid::regclass::text"""

SEQUENCES = """SELECT string_agg(format('SELECT %L, last_value, is_called FROM %s', c.oid::regclass, c.oid::regclass),
  ' UNION ALL ') FROM pg_class c WHERE c.relkind = 'S'"""

LARGE_OBJECTS = """SELECT m.oid, pg_get_userbyid(m.lomowner),
  (SELECT md5(string_agg(md5(data), '' ORDER BY pageno)) FROM pg_largeobject WHERE loid = m.oid)
FROM pg_largeobject_metadata m"""

USERS = 16384  # the first oid that is not the system's own
CATALOGS = [
    # without what VACUUM and ANALYZE write there
    f"""SELECT oid, relname, relnamespace, reltype, relowner, relkind, relpersistence, relispartition, relacl,
      reloptions, relpartbound::text FROM pg_class WHERE oid >= {USERS}""",
    *(
        f"SELECT * FROM pg_{name} WHERE {oid} >= {USERS}"
        for name, oid in (
            *(
                ("attribute", "attrelid"),
                ("attrdef", "adrelid"),
                ("constraint", "oid"),
                ("index", "indexrelid"),
            ),
            *(("inherits", "inhrelid"), ("partitioned_table", "partrelid"), ("sequence", "seqrelid")),
            *(("proc", "oid"), ("trigger", "oid"), ("type", "oid"), ("enum", "oid"), ("rewrite", "oid")),
            *(("namespace", "oid"), ("extension", "oid"), ("description", "objoid"), ("policy", "polrelid")),
            *(("operator", "oid"), ("opclass", "oid"), ("cast", "oid"), ("collation", "oid")),
            *(("statistic_ext", "stxrelid"), ("event_trigger", "oid"), ("default_acl", "oid")),
        )
    ),
    "SELECT * FROM pg_namespace WHERE nspname = 'public'",
]
"""What defines the tables, indexes, functions and rights of a database; compared with the same server's own."""

MATERIALIZED = "SELECT oid::regclass FROM pg_class WHERE relkind = 'm' ORDER BY pg_class.oid"
LEAVES = "SELECT oid, oid::regclass FROM pg_class WHERE relkind = 'r' ORDER BY pg_class.oid"

EXACT = "SET LOCAL extra_float_digits = 3"
SIDE_BY_SIDE = "SET parallel_tuple_cost = 0"
"""A hash is dear and passing it on is not, which the planner does not know of a function."""

BYTES_A_SESSION = 64 << 20
AHEAD = 5
"""Tables that are asked for at once, so that no answer waits for a question over the line."""


class Stale(Failed):
    """The copy is not what its state tells."""


def dump(snapshot: str, database: str) -> str:
    """The line that dumps what a snapshot sees of a database."""
    return f"{AS_POSTGRES}pg_dump -Fc -Z1 {WITHOUT} --snapshot={snapshot} {quote(database)}"


def kept_dump(database: str) -> str:
    """Where the target keeps a dump until it is restored."""
    return f"/var/lib/postgresql/bmnb-{database}.dump"


class Entry(NamedTuple):
    """A row of the copy: its hash, and its place as number of its partition, block and item."""

    hash: int
    place: int


class Base:
    """The rows of a table of the copy, sorted by hash: two files of 64-bit numbers, read in place."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.hashes, self.places = (self._view(f"{path}.{part}") for part in ("hash", "place"))

    @staticmethod
    def _view(path: str) -> Any:
        with open(path, "rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return array("q")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)).cast("q")

    @classmethod
    def written(cls, path: str, entries: Iterator[Entry]) -> "Base":
        """Write entries that come sorted."""
        with open(f"{path}.hash", "wb") as hashes, open(f"{path}.place", "wb") as places:
            block: List[Entry] = []
            for entry in entries:
                block.append(entry)
                if len(block) == 65536:
                    _write(hashes, places, block)
                    block = []
            _write(hashes, places, block)
        return cls(path)

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
        return type(self)(path)

    def range(self, bucket: int, bits: int) -> Tuple[int, int]:
        """The positions of a bucket, which is the first bits of the hash as a signed number."""
        if not bits:
            return 0, len(self.hashes)
        width = 64 - bits
        low = bisect_left(self.hashes, bucket << width)
        top = (bucket + 1) << width
        return low, len(self.hashes) if top > 2**63 - 1 else bisect_left(self.hashes, top, low)


def _write(hashes: Any, places: Any, entries: Sequence[Entry]) -> None:
    array("q", [entry.hash for entry in entries]).tofile(hashes)
    array("q", [entry.place for entry in entries]).tofile(places)


Sums = Dict[int, Tuple[int, int]]
"""Of each bucket: number of rows, sum of their hashes."""


def surplus(base: Base, bits: int, origin: Sums, new: Sequence[int]) -> Optional[List[int]]:
    """The positions in the base of the rows to remove, so that with the new ones the sums are the origin's.

    None where the sums do not tell, or where so many rows are to go that a whole copy is cheaper.
    """
    excess_rows = len(base.hashes) + len(new) - sum(count for count, _ in origin.values())
    if excess_rows > max(FEW, len(base.hashes) // 10):
        return None
    added: Dict[int, List[int]] = {}
    for one in new:
        added.setdefault(one >> (64 - bits) if bits else 0, []).append(one)
    found: List[int] = []
    position, half = 0, 2**bits // 2
    for bucket in range(-half, half) if bits else [0]:
        low, high = base.range(bucket, bits)
        position += high - low
        count, total = origin.get(bucket, (0, 0))
        news = added.get(bucket, [])
        number = high - low + len(news) - count
        excess = sum(base.hashes[low:high]) + sum(news) - total
        at = chosen(base.hashes, low, high, number, excess)
        if at is None:
            return None
        found += at
    assert position == len(base.hashes), "every row is in one bucket"
    return found


def chosen(hashes: Sequence[int], low: int, high: int, number: int, total: int) -> Optional[Sequence[int]]:
    """The positions of that many hashes with that sum; None where there are none, or too many to try."""
    if number == 0:
        return None if total else ()
    if not 0 < number <= high - low or comb(high - low, number - 1) > MOST_TRIED:
        return None
    at: Dict[int, List[int]] = {}
    for position in range(low, high):
        at.setdefault(hashes[position], []).append(position)
    for others in combinations(range(low, high), number - 1):
        rest = total - sum(hashes[one] for one in others)
        last = [position for position in at.get(rest, ()) if position not in others]
        if last:
            return (*others, last[0])
    return None


def comb(of: int, number: int) -> int:
    """How many choices there are; math has it from Python 3.8 on."""
    ways = 1
    for step in range(number):
        ways = ways * (of - step) // (step + 1)
    return ways


def bits_for(rows: int) -> int:
    return max(0, round(log2(max(rows, 1) / ROWS_A_BUCKET)))


class Table(NamedTuple):
    """`rows` names it where rows are read or deleted."""

    name: str
    rows: str
    columns: str


class Leaves:
    """The tables of the copy that hold rows, partitions among them, numbered in the order of their creation."""

    def __init__(self, session: Session) -> None:
        rows = session.rows(LEAVES)
        self.names = [name for _, name in rows]
        self.index = {oid.encode(): number for number, (oid, _) in enumerate(rows)}


class Found(NamedTuple):
    """What of a table differs: positions in the base of rows to remove, new rows and their hashes.

    `removed` is None where the table must be copied whole.
    """

    table: Table
    base: Base
    sums: Sums
    removed: Optional[List[int]]
    hashes: List[int]
    rows: List[bytes]

    @property
    def rows_there(self) -> int:
        return sum(count for count, _ in self.sums.values())


class Origin:
    """The origin's database, read in one snapshot through as many sessions as are wanted."""

    def __init__(self, shell: Sequence[str], database: str) -> None:
        self.shell, self.database = shell, database
        self.session = Session(shell, database)
        self.version = int(self.session.value("SHOW server_version_num"))

    def begin(self, digits: int, snapshot: str = "") -> None:
        """Open a snapshot, or one that is open already; `since` is the oldest transaction that it may not see."""
        self.session.tell(
            f"{PLAIN_TEXT}; SET extra_float_digits = {digits}; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            + (f"; SET TRANSACTION SNAPSHOT {literal(snapshot)}" if snapshot else "")
        )
        self.snapshot = self.session.value("SELECT pg_export_snapshot()")
        self.since = int(
            self.session.value("SELECT txid_snapshot_xmin(txid_current_snapshot()) % 4294967296")
        )
        self.bytes = int(self.session.value("SELECT pg_database_size(current_database())"))
        stored = "AND a.attgenerated = ''" if self.version >= 120000 else ""
        self.tables = [Table(*row) for row in self.session.rows(TABLES.format(stored=stored))]

    def one_more(self, digits: int) -> Session:
        session = Session(self.shell, self.database)
        session.tell(
            f"{PLAIN_TEXT}; {SIDE_BY_SIDE}; SET extra_float_digits = {digits}; "
            f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {literal(self.snapshot)}"
        )
        return session

    def schema(self, row_hash: str) -> str:
        """Sums of the rows of the catalogs that define what the user has made."""
        sums = (f"(SELECT sum({row_hash}) FROM ({rows}) bmnb_row)" for rows in CATALOGS)
        return " ".join(self.session.rows(f"SELECT {', '.join(sums)}")[0])


class Pass:
    """One pass over the target's copy of one database."""

    def __init__(self, origin: Origin, copy: str, folder: str, jobs: int, replication: Replication) -> None:
        self.origin, self.copy, self.folder, self.jobs = origin, copy, folder, jobs
        self.replication = replication
        self.told = Counter(tables=0, rows=0, carried=0, removed=0, whole=0, restored=0)
        server = Session(LOCAL, "postgres")
        self.oldest = min(int(server.value("SHOW server_version_num")), origin.version)
        if self.oldest < 100000:
            raise Failed("PostgreSQL is older than 10 on one of the servers: use the engine `literal`")
        self.state = self.last_state(server)
        server.close()

        # before 12 the shortest text of a float was another one: then 15 digits are compared
        self.digits = 1 if self.oldest >= 120000 else 0

    def run(self, replicate: bool) -> None:
        schema = self.begin(replicate)
        if self.state.get("schema") != schema or (
            replicate and not self.replication.caught_up(self.origin.session)
        ):
            self.replication.end()
            schema = self.begin_replicated() if replicate else schema
            self.restore()
            if replicate:
                self.replication.subscribe()
        self.told["behind"] = self.replication.behind
        self.apply(self.look(), {"schema": schema, "since": self.origin.since})

    def begin(self, replicate: bool, snapshot: str = "") -> str:
        """Open the snapshot of this pass; return what the definitions are and how the copy follows them."""
        self.origin.begin(self.digits, snapshot)
        self.tables = self.origin.tables
        if not replicate:
            return self.origin.schema(self.hash)
        carried = {row[0] for row in self.origin.session.rows(self.replication.not_replicated)}
        self.tables = [table for table in self.tables if table.name in carried]
        self.told["replicated"] = len(self.origin.tables) - len(self.tables)
        return "replicated " + self.origin.schema(self.hash)

    def begin_replicated(self) -> str:
        """Open the snapshot with which a new slot begins."""
        self.origin.session.tell("ROLLBACK")
        walsender = self.replication.begin()
        schema = self.begin(True, self.replication.snapshot)
        walsender.close()
        return schema

    # what the last pass left: a file, named by the comment of the database, so that both change at once

    def last_state(self, server: Session) -> Dict[str, Any]:
        """Empty where there is no copy, or none that ended."""
        comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = "
        named = server.rows(comment + literal(self.copy))
        path = os.path.join(self.folder, named[0][0] if named else "")
        if not os.path.isfile(path):
            return {}
        with open(path) as file:
            state: Dict[str, Any] = json.load(file)
        return state

    def new_path(self) -> str:
        return os.path.join(self.folder, os.urandom(8).hex())

    # a copy from nothing

    def restore(self) -> None:
        """Restore a dump of the snapshot, parallel by table and index, and read where each row lies.

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
        postgres(f"createdb -O bj -E UTF8 -l en_US.UTF-8 -T template0 {quote(self.copy)}")
        postgres(f"psql -Xq -c {quote(SET_TIME_ZONE.format(self.copy))}")
        postgres(f"pg_restore -j {self.jobs} --exit-on-error -d {quote(self.copy)} {kept}")
        postgres(f"vacuumdb -q --analyze-only -d {quote(self.copy)}")
        os.unlink(kept)
        # or PostgreSQL writes all this out in the downtime, where it is stopped soon
        postgres("psql -Xq -c CHECKPOINT")
        self.told["restored"] = 1
        session = self.session_on_copy()
        self.leaves = Leaves(session)
        bases = {table.name: self.read_base(session, table).path for table in self.tables}
        session.close()
        self.state = {"since": None, "bases": bases}

    def session_on_copy(self) -> Session:
        session = Session(LOCAL, self.copy)
        session.tell(f"{PLAIN_TEXT}; SET extra_float_digits = {self.digits}")
        return session

    def read_base(self, session: Session, table: Table) -> Base:
        rows = session.lines(self.places(table, "ORDER BY 1"))
        return Base.written(self.new_path(), (self.entry(row) for row in rows))

    def entry(self, line: bytes) -> Entry:
        """An answer to `places` as an entry of a base."""
        number, leaf, ctid = line.split(b"\t")
        block, item = ctid[1:-2].split(b",")
        return Entry(int(number), self.leaves.index[leaf] << 48 | int(block) << 16 | int(item))

    def places(self, table: Table, rest: str) -> str:
        return f"SELECT {self.hash}, tableoid, ctid FROM {table.rows} bmnb_row {rest}"

    @property
    def hash(self) -> str:
        if self.oldest < 110000:
            return "('x' || substr(md5((bmnb_row.*)::text), 1, 16))::bit(64)::bigint"
        return 'hashtextextended((bmnb_row.*)::text COLLATE "C", 0)'

    # what differs

    def look(self) -> List[Found]:
        """Compare tables, in several sessions at once."""
        sessions = max(1, min(self.jobs, 1 + self.origin.bytes // BYTES_A_SESSION, len(self.tables)))
        shares = [self.tables[number::sessions] for number in range(sessions)]
        with ThreadPoolExecutor(sessions) as pool:
            return [found for share in pool.map(self.look_at, shares) for found in share]

    def look_at(self, tables: Sequence[Table]) -> List[Found]:
        session = self.origin.one_more(self.digits)
        bases = [Base(self.state["bases"][table.name]) for table in tables]
        since = self.state["since"]
        recent = "false" if since is None else f"age(xmin) <= age('{since}'::xid)"
        asked = (self.ask(session, table, base, recent) for table, base in zip(tables, bases))
        waiting = deque(islice(asked, AHEAD))
        found = []
        while waiting:
            found.append(differing(session, *waiting.popleft()))
            say(f"{found[-1].table.name}: {found[-1].rows_there} rows compared")
            waiting.extend(islice(asked, 1))
        for one in found:
            if one.hashes and one.removed is not None:
                columns = f"SELECT {one.table.columns} FROM {one.table.rows} bmnb_row WHERE {recent}"
                one.rows.extend(session.lines(f"{EXACT}; COPY ({columns}) TO STDOUT"))
        session.close()
        return found

    def ask(self, session: Session, table: Table, base: Base, recent: str) -> Tuple[Table, Base]:
        """Ask for the sums of a table, and for the hashes of the rows that are recent."""
        rows = f"FROM {table.rows} bmnb_row"
        bits = bits_for(len(base.hashes))
        bucket = f"hash >> {64 - bits}" if bits else "0"
        # OFFSET 0 keeps PostgreSQL from computing the hash of a row twice
        hashes = f"(SELECT {self.hash} AS hash {rows} OFFSET 0) bmnb_hash"
        session.ask(f"SELECT {bucket}, count(*), sum(hash) FROM {hashes} GROUP BY 1")
        session.ask(f"SELECT {self.hash} {rows} WHERE {recent}")
        return table, base

    # bringing it over

    def apply(self, found: Sequence[Found], state: Dict[str, Any]) -> None:
        """Bring tables, sequences and large objects over in one transaction, and the new state with it."""
        self.target = self.session_on_copy()
        self.target.tell("BEGIN; SET LOCAL session_replication_role = replica")
        self.leaves = Leaves(self.target)
        bases = {one.table.name: self.bring(one).path for one in found}
        self.bring_large_objects()
        self.bring_sequences()
        for (view,) in self.target.rows(MATERIALIZED):
            self.target.tell(f"REFRESH MATERIALIZED VIEW {view}")
        path = self.new_path()
        with open(path, "w") as file:
            json.dump({**state, "bases": bases}, file)
            file.flush()
            os.fsync(file.fileno())
        self.target.tell(f'COMMENT ON DATABASE "{self.copy}" IS {literal(os.path.basename(path))}; COMMIT')
        self.target.close()
        kept = {path} | {f"{base}.{part}" for base in bases.values() for part in ("hash", "place")}
        for name in os.listdir(self.folder):
            if os.path.join(self.folder, name) not in kept:
                os.unlink(os.path.join(self.folder, name))

    def bring(self, one: Found) -> Base:
        """Make a table of the copy equal; return its new base."""
        self.told.update(tables=1, rows=one.rows_there)
        if one.removed is None:
            return self.bring_whole(one)
        if not one.removed and not one.rows:
            return one.base
        say(f"{one.table.name}: {len(one.rows)} rows brought, {len(one.removed)} removed")
        self.remove(one, one.removed)
        self.copy_in(one.table, one.rows)
        transaction = self.target.value("SELECT txid_current() % 4294967296")
        written = self.places(one.table, f"WHERE xmin = '{transaction}'::xid")
        added = [self.entry(line) for line in self.target.lines(written)]
        if Counter(new.hash for new in added) != Counter(one.hashes):
            raise Failed(f"{one.table.name}: the rows read back are not those that were sent")
        self.told.update(carried=len(added), removed=len(one.removed))
        return one.base.changed(self.new_path(), one.removed, added)

    def bring_whole(self, one: Found) -> Base:
        table = one.table
        say(f"{table.name} is copied whole: its sums tell no rows to remove")
        self.target.tell(f"DELETE FROM {table.rows}")
        source = f"{EXACT}; COPY (SELECT {table.columns} FROM {table.rows}) TO STDOUT"
        self.copy_in(table, self.origin.session.lines(source))
        base = self.read_base(self.target, table)
        if surplus(base, bits_for(len(one.base.hashes)), one.sums, []) != []:
            raise Failed(f"{table.name}: copied whole, and still not equal")
        self.told.update(whole=1, carried=len(base.hashes), removed=len(one.base.hashes))
        return base

    def remove(self, one: Found, positions: Sequence[int]) -> None:
        by_leaf: Dict[int, List[str]] = {}
        for place in (one.base.places[at] for at in positions):
            by_leaf.setdefault(place >> 48, []).append(f'"({place >> 16 & 0xFFFFFFFF},{place & 0xFFFF})"')
        gone: "Counter[int]" = Counter()
        for leaf, places in by_leaf.items():
            listed = ",".join(places)
            rows = f"DELETE FROM ONLY {self.leaves.names[leaf]} bmnb_row WHERE ctid = ANY ('{{{listed}}}'::tid[])"
            gone.update(int(line) for line in self.target.lines(f"{rows} RETURNING {self.hash}"))
        if gone != Counter(one.base.hashes[at] for at in positions):
            raise Stale(
                f"{one.table.name}: the copy is not as the last pass left it; the next one copies anew"
            )

    def copy_in(self, table: Table, rows: Iterable[bytes]) -> None:
        self.target.send([f"COPY {table.name} ({table.columns}) FROM STDIN;\n".encode()])
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
        wanted = {row[0]: row for row in self.origin.session.rows(LARGE_OBJECTS)}
        have = {row[0]: row for row in self.target.rows(LARGE_OBJECTS)}
        for number in wanted.keys() | have.keys():
            if wanted.get(number) == have.get(number):
                continue
            if number in have:
                self.target.value(f"SELECT lo_unlink({number})")
            if number in wanted:
                content = self.origin.session.value(f"SELECT encode(lo_get({number}), 'hex')")
                self.target.value(f"SELECT lo_from_bytea({number}, decode('{content}', 'hex'))")
                self.target.tell(f'ALTER LARGE OBJECT {number} OWNER TO "{wanted[number][1]}"')
        if {row[0]: row for row in self.target.rows(LARGE_OBJECTS)} != wanted:
            raise Failed("large objects differ")


def differing(session: Session, table: Table, base: Base) -> Found:
    """Read what a session was asked of a table, and compare it with the base."""
    answer = (line.split(b"\t") for line in session.answer())
    sums = {int(bucket): (int(count), int(total)) for bucket, count, total in answer}
    hashes = [int(line) for line in session.answer()]
    return Found(table, base, sums, surplus(base, bits_for(len(base.hashes)), sums, hashes), hashes, [])


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
    except Stale as error:
        postgres(f"psql -Xq -c {quote(UNCOMMENT.format(given.copy))}")
        sys.exit(str(error))
    except Lost as error:
        say(str(error))
        sys.exit(LOST)
    except (Failed, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
    print(json.dumps(one.told))


if __name__ == "__main__":
    main()
