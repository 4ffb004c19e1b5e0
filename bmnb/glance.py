"""The lines of a journal that tell where its run stands.

Each line is looked at for its event and for the sum before it, and only those that count are read: of a
hundred thousand lines that takes a fraction of a second. Whether a line was changed is for those who read
them whole: whoever goes on with the run, the report, and `bmnb verify`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bmnb.journal import START, Line, Record, changed

ENDED, ACTIONS = (b"done", b"skipped"), (b"started", b"done", b"failed", b"skipped")
BOUNDARIES = b"step started", b"opened"
OF_THE_RECORD = b"opened", b"sealed", b"held warm"
OF_A_PERSON = (b"note", b"answer", b"unlocked")
PASSED_BY = (*ACTIONS, b"sealed", b"note", b"answer", b"locked", b"released", b"unlocked")
"""Events of which most lines tell nothing about where the run stands."""
LEFT_OUT = {"items", "parts", "line", "files", "tools", "seen", "row", "script", "before", "who"}
SUM, BETWEEN, END = 64, len(b'", "sha256": "'), len(b'"}\n')


class Place(NamedTuple):
    """Where a line stands in the file, its event, the action that it is about, and whether it starts a command."""

    number: int
    begin: int
    size: int
    event: bytes
    action: bytes
    command: bool


def glance(path: Path) -> Record:
    """The lines that a state depends on, without what no state tells of; the first and the last line are among them.

    Raise BmnbError where a line does not follow the one before.
    """
    if not path.exists():
        return Record([])
    with path.open("rb", buffering=1 << 20) as file:
        places = sorted(_telling(_places(path, file)), key=lambda place: place.begin)
        return Record([_read(file, place) for place in places])


def torn(path: Path) -> bool:
    """Whether a journal ends in the middle of a line."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return file.read() not in (b"", b"\n")


def _telling(places: Iterator[Place]) -> set[Place]:
    kept, first, started, ends = (
        set[Place](),
        dict[bytes, Place](),
        dict[bytes, Place](),
        dict[bytes, Place](),
    )
    steps, happened, worked, last = set[bytes](), None, None, None
    for last in places:
        if last.number == 1 or last.event not in PASSED_BY:
            kept.add(last)
        if last.event in BOUNDARIES and worked:
            kept.add(worked)  # the last that is known of a step that the run stopped in
        if last.event in ACTIONS:
            first.setdefault(last.action, last)
            ends[last.action] = last
        if last.event == b"started":
            started[last.action] = last
        if last.command:
            step = last.action.partition(b"/")[0].partition(b".")[0]
            if step not in steps:
                steps.add(step)
                kept.add(last)  # from the first command of some step on, users are cut off
        if last.event not in OF_THE_RECORD:
            happened = last
            worked = worked if last.event in OF_A_PERSON else last
    kept |= {one for one in (happened, worked, last) if one}
    open_ = {action for action, one in ends.items() if one.event not in ENDED}
    needed = open_ | {one.action for one in kept if one.event in ACTIONS}
    return kept | {told[action] for told in (first, started, ends) for action in needed if action in told}


def _places(path: Path, file: BinaryIO) -> Iterator[Place]:
    begin, head = 0, START.encode()
    for number, raw in enumerate(file, 1):
        if not raw.endswith(b"\n"):
            return  # a crash cut it: what it told never counted
        before, sum_ = raw[-END - SUM - BETWEEN - SUM : -END - SUM - BETWEEN], raw[-END - SUM : -END]
        event = _text(raw, b'"event": "')
        if before != head or not event:
            raise changed(path, number)
        action = _text(raw, b'"action": "') if event in ACTIONS else b""
        command = event == b"started" and b'"unit": "' in raw
        yield Place(number, begin, len(raw), event, action, command)
        begin, head = begin + len(raw), sum_


def _text(raw: bytes, key: bytes) -> bytes:
    """The text that follows a key. What a line quotes has backslashes, so that it is no key."""
    begin = raw.find(key)
    return raw[begin + len(key) : raw.find(b'"', begin + len(key))] if begin >= 0 else b""


def _read(file: BinaryIO, place: Place) -> Line:
    file.seek(place.begin)
    line: Line = json.loads(file.read(place.size))
    return {key: fact for key, fact in line.items() if key not in LEFT_OUT}
