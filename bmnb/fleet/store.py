"""The state of a fleet: SQLite beside its runs, so that a fleet that was killed goes on with the same command."""

from __future__ import annotations

import fcntl
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bmnb.errors import BmnbError, InputError

FOLDER = "fleet"
"""The fleet's own folder among the runs."""

PLANNED, STARTED, DONE, FAILED = "planned", "started", "done", "failed"
WAITING = "waiting"  # for a person
STOPPED = "stopped"  # by a person
LOST = "lost"  # with the machine that worked on it
MISSED = "missed"  # its window

SCHEMA = """
CREATE TABLE IF NOT EXISTS fleet (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS clients (
    name TEXT PRIMARY KEY, place INTEGER NOT NULL, source TEXT NOT NULL, settings TEXT NOT NULL,
    wishes TEXT NOT NULL, folder TEXT NOT NULL DEFAULT '', state TEXT NOT NULL DEFAULT 'planned',
    through TEXT NOT NULL DEFAULT '', reached TEXT NOT NULL DEFAULT '', why TEXT NOT NULL DEFAULT '',
    exit INTEGER, attempts INTEGER NOT NULL DEFAULT 0, machine TEXT NOT NULL DEFAULT '',
    began TEXT NOT NULL DEFAULT '', ended TEXT NOT NULL DEFAULT '', stop INTEGER NOT NULL DEFAULT 0,
    cpu_seconds REAL NOT NULL DEFAULT 0, peak_mib REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS notices (
    client TEXT NOT NULL, kind TEXT NOT NULL, way TEXT NOT NULL, time TEXT NOT NULL, problem TEXT NOT NULL,
    PRIMARY KEY (client, kind, way)
);
"""


@dataclass(frozen=True)
class Client:
    """A client as the fleet knows it.

    `through` is the last phase that is wanted, `reached` the last one that was; `machine` is where it was
    worked on last; `attempts` counts since it was planned.
    """

    name: str
    place: int
    source: str
    settings: str
    wishes: str
    folder: str
    state: str
    through: str
    reached: str
    why: str
    exit: int | None
    attempts: int
    machine: str
    began: str
    ended: str
    stop: int
    cpu_seconds: float
    peak_mib: float


class Store:
    """One fleet in a folder of runs. Raise BmnbError where its file can't be read or written."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs.expanduser().resolve()
        self.folder = self.runs / FOLDER
        self.path = self.folder / "fleet.sqlite"
        self._here = threading.local()

    @property
    def exists(self) -> bool:
        return self.path.exists()

    def make(self) -> None:
        """Make the fleet's folder and tables where they are missing."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BmnbError(f"the fleet's folder {self.folder} cannot be made: {error}") from error
        if not self.exists:
            self._make()

    def _make(self) -> None:
        """Whoever looks meanwhile sees no file, or one with its tables."""
        new = self.path.with_suffix(".new")
        try:
            with closing(sqlite3.connect(new)) as base:
                base.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise BmnbError(f"the fleet's state {new}: {error}") from error
        new.replace(self.path)

    def client(self, name: str) -> Client:
        found = next((one for one in self.clients() if one.name == name), None)
        if found is None:
            raise InputError(f"no client {name!r} in the fleet of {self.runs}")
        return found

    def clients(self) -> list[Client]:
        """The clients in the order in which they were named."""
        if not self.exists:
            return []
        names = ", ".join(one.name for one in fields(Client))
        with self._open() as base:
            return [Client(*row) for row in base.execute(f"SELECT {names} FROM clients ORDER BY place")]

    def add(self, name: str, **facts: Any) -> None:
        """Add a client, or change these facts of one that is known."""
        columns, marks = ", ".join(facts), ", ".join("?" * len(facts))
        changes = ", ".join(f"{one} = excluded.{one}" for one in facts)
        line = (
            f"INSERT INTO clients (name, {columns}) VALUES (?, {marks}) ON CONFLICT DO UPDATE SET {changes}"
        )
        with self._open() as base:
            base.execute(line, (name, *facts.values()))

    def change(self, name: str, **facts: Any) -> None:
        changes = ", ".join(f"{one} = ?" for one in facts)
        with self._open() as base:
            base.execute(f"UPDATE clients SET {changes} WHERE name = ?", (*facts.values(), name))

    def remove(self, names: Iterator[str] | list[str]) -> None:
        with self._open() as base:
            base.executemany("DELETE FROM clients WHERE name = ?", [(name,) for name in names])

    def told(self) -> dict[str, Any]:
        """What is known of the fleet as a whole."""
        with self._open() as base:
            return {key: json.loads(value) for key, value in base.execute("SELECT key, value FROM fleet")}

    def tell(self, **facts: Any) -> None:
        with self._open() as base:
            rows = [(key, json.dumps(value)) for key, value in facts.items()]
            base.executemany("INSERT OR REPLACE INTO fleet VALUES (?, ?)", rows)

    def notices(self) -> list[Mapping[str, str]]:
        """The notices that were sent, or could not be."""
        with self._open() as base:
            names = ("client", "kind", "way", "time", "problem")
            found = base.execute(f"SELECT {', '.join(names)} FROM notices ORDER BY time")
            return [dict(zip(names, row, strict=True)) for row in found]

    def noticed(self, client: str, kind: str, way: str, problem: str) -> None:
        with self._open() as base:
            row = (client, kind, way, now(), problem)
            base.execute("INSERT OR REPLACE INTO notices VALUES (?, ?, ?, ?, ?)", row)

    @property
    def commanded(self) -> bool:
        """Whether a fleet command is at work on it now."""
        try:
            with self.alone():
                return False
        except InputError:
            return True

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One fleet command at a time. Raise InputError where another is at work."""
        with (self.folder / "fleet.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(
                    f"another fleet command is at work in {self.runs}\n  → see it: bmnb fleet status --runs {self.runs}"
                ) from None
            yield

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written meanwhile is on disk at the end, or did not happen."""
        with self._open() as base:
            self._here.base = base
            try:
                yield
            finally:
                del self._here.base

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction of its own, or the one that is open."""
        if hasattr(self._here, "base"):
            yield self._here.base
            return
        try:
            base = sqlite3.connect(self.path, timeout=30)
            try:
                with base:
                    yield base
            finally:
                base.close()
        except sqlite3.Error as error:
            raise BmnbError(f"the fleet's state {self.path}: {error}") from error


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
