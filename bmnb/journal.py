"""The record of a run: JSON lines, only ever appended, each chained to the one before by SHA-256."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

from bmnb.errors import BmnbError

Line = dict[str, Any]
START = "0" * 64


class Journal:
    """One line before and one after every action, on disk before `write` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[Line] = []
        self._writing = threading.Lock()
        if path.exists():
            self._load()

    def write(self, event: str, **facts: Any) -> Line:
        """Append a line with time, writer and the facts. Raise BmnbError where the disk refuses it."""
        with self._writing:
            line: Line = {
                "number": len(self.lines) + 1,
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "who": f"{getpass.getuser()}@{socket.gethostname()}",
                "event": event,
                **facts,
                "before": self.lines[-1]["sha256"] if self.lines else START,
            }
            line["sha256"] = digest(line)
            self._append(line)
            self.lines.append(line)
        return line

    def events(self, event: str = "", **facts: Any) -> Iterator[Line]:
        """The lines of an event, or of all, that have these facts."""
        for line in self.lines:
            if (not event or line["event"] == event) and all(
                line.get(key) == fact for key, fact in facts.items()
            ):
                yield line

    def last(self, event: str = "", **facts: Any) -> Line | None:
        return next(reversed(list(self.events(event, **facts))), None)

    def _append(self, line: Line) -> None:
        text = json.dumps(line, ensure_ascii=False) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab", buffering=0) as file:
                whole = file.tell()
                try:
                    _write(file, text.encode())
                except OSError:
                    # A full disk may have taken a part of the line: what it told never counted.
                    file.truncate(whole)
                    raise
        except OSError as error:
            raise BmnbError(
                f"the journal {self.path} cannot be written, so nothing more is done: {error}"
            ) from error

    def _load(self) -> None:
        text = self.path.read_bytes()
        whole, _, torn = text.rpartition(b"\n")
        if torn:
            # A crash in the middle of a write leaves a last line without an end: what it told never counted.
            with self.path.open("r+b") as file:
                file.truncate(len(whole) + 1 if whole else 0)
        self.lines = [json.loads(line) for line in whole.splitlines()] if whole else []
        wrong = first_wrong(self.lines)
        if wrong:
            raise BmnbError(
                f"the journal {self.path} was changed: line {wrong} does not follow from the one before"
            )


def _write(file: FileIO, text: bytes) -> None:
    while text:
        text = text[file.write(text) :]
    os.fsync(file.fileno())


def digest(line: Line) -> str:
    """SHA-256 of a line without its own sum, which includes the sum of the line before."""
    facts = {key: fact for key, fact in line.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def first_wrong(lines: list[Line]) -> int | None:
    """Number of the first line that is changed, missing or out of order; None where the chain holds."""
    before = START
    for number, line in enumerate(lines, 1):
        if line.get("before") != before or line.get("number") != number or line.get("sha256") != digest(line):
            return number
        before = line["sha256"]
    return None
