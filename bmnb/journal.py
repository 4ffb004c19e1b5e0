"""The record of a run: JSON lines, only ever appended, each chained to the one before by SHA-256."""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import logging
import os
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bmnb import redact
from bmnb.errors import BmnbError
from bmnb.files import private, private_folder, write_all

logger = logging.getLogger(__name__)

Line = dict[str, Any]
START = "0" * 64


class Record:
    """Lines of a journal in their order, and what is asked of them."""

    def __init__(self, lines: list[Line]) -> None:
        self._take(lines)

    def _take(self, lines: list[Line]) -> None:
        self.lines = lines
        self._reopened = list(matching(lines, "reopened", {}))

    def events(self, event: str = "", **facts: Any) -> Iterator[Line]:
        """The lines of an event, or of all, that have these facts."""
        yield from matching(self.lines, event, facts)

    def last(self, event: str = "", **facts: Any) -> Line | None:
        return next(matching(reversed(self.lines), event, facts), None)

    def standing(self, event: str, **facts: Any) -> Line | None:
        """The last such line about a step, where it still counts."""
        last = self.last(event, **facts)
        return last if last and self.stands(last) else None

    def stands(self, line: Line) -> bool:
        """Whether a line about a step still counts: the step was not reopened since."""
        later = (one for one in self._reopened if one["number"] > line["number"])
        return not any(step_of(line) in one["steps"] for one in later)

    def _add(self, line: Line) -> None:
        self.lines.append(line)
        if line["event"] == "reopened":
            self._reopened.append(line)


class Journal(Record):
    """One line before and one after every action, on disk before `write` returns."""

    def __init__(self, path: Path) -> None:
        super().__init__([])
        self.path = path
        self._writing = threading.Lock()
        self._torn_from: int | None = None
        self._size = 0
        self.reload()

    def reload(self) -> None:
        """Read what another process has written since; nothing where there is nothing new."""
        if self.path.exists() and self.path.stat().st_size != self._size:
            self._load()

    def write(self, event: str, **facts: Any) -> Line:
        """Append a line with time, writer and the facts. Raise BmnbError where the disk refuses it."""
        with self._writing, self._alone():
            self.reload()
            now = datetime.now(UTC)
            line: Line = {
                "number": len(self.lines) + 1,
                "time": now.isoformat(timespec="milliseconds"),
                "local": now.astimezone().isoformat(timespec="milliseconds"),
                "who": f"{getpass.getuser()}@{socket.gethostname()}",
                "event": event,
                **redact.facts(facts),
                "before": self.lines[-1]["sha256"] if self.lines else START,
            }
            line["sha256"] = digest(line)
            self._append(line)
            self._add(line)
        logger.info("line %d: %s", line["number"], ", ".join(_short(line)))
        return line

    @property
    def torn(self) -> bool:
        """Whether the file ends in the middle of a line."""
        return self._torn_from is not None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process writes meanwhile: two writers would tear the chain apart."""
        try:
            private_folder(self.path.parent)
            with private(self.path).open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise BmnbError(
                f"the journal {self.path} cannot be written, so nothing more is done: {error}"
            ) from error

    def _append(self, line: Line) -> None:
        with self.path.open("ab", buffering=0) as file:
            whole = self._size if self._torn_from is None else self._torn_from
            file.truncate(whole)
            self._torn_from = None
            try:
                write_all(file, encoded(line) + b"\n")
                os.fsync(file.fileno())
            except OSError:
                # A full disk may have taken a part of the line: what it told never counted.
                file.truncate(whole)
                raise
            self._size = file.seek(0, os.SEEK_END)

    def _load(self) -> None:
        data = self.path.read_bytes()
        self._size = len(data)
        whole, end, torn = data.rpartition(b"\n")
        # A crash in the middle of a write leaves a last line without an end: what it told never counted.
        self._torn_from = len(whole + end) if torn else None
        lines = list[Line]()
        for number, raw in enumerate(whole.splitlines() if whole else [], 1):
            line = follower(raw, lines[-1] if lines else None)
            if line is None:
                raise changed(self.path, number)
            lines.append(line)
        self._take(lines)


def _short(line: Line) -> Iterator[str]:
    """The event, and what of its facts has place in a log."""
    yield line["event"]
    for fact in ("step", "action", "title", "server", "seconds", "exit"):
        if fact in line:
            yield f"{fact} {line[fact]}"


def changed(path: Path, number: int) -> BmnbError:
    return BmnbError(f"the journal {path} was changed: line {number} does not follow from the one before")


def matching(lines: Iterable[Line], event: str, facts: Mapping[str, Any]) -> Iterator[Line]:
    for line in lines:
        if (not event or line["event"] == event) and all(
            line.get(key) == fact for key, fact in facts.items()
        ):
            yield line


def step_of(line: Line) -> str:
    """The name of the step that a line is about, whichever of its passes."""
    return str(line.get("step") or line["action"]).split("/")[0].split(".")[0]


def follower(raw: bytes, before: Line | None) -> Line | None:
    """The line that these bytes are, where they are what was written after the line before; else None."""
    try:
        line: Line = json.loads(raw)
        same = encoded(line) == raw
    except (ValueError, AttributeError):
        return None
    number, head = (before["number"] + 1, before["sha256"]) if before else (1, START)
    follows = line.get("number") == number and line.get("before") == head
    return line if same and follows and line.get("sha256") == digest(line) else None


def encoded(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode()


def digest(line: Line) -> str:
    """SHA-256 of a line without its own sum, which includes the sum of the line before."""
    facts = {key: fact for key, fact in line.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
