"""The lines of a journal put together: one entry an action, and the stretches of steps by sitting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bmnb.journal import Line
from bmnb.stretches import Stretch, moment

ENDS = ("done", "failed", "skipped")


@dataclass(frozen=True)
class Entry:
    """One action and how it ended last; `status` is `started` where nobody knows how.

    `attempts` counts its starts, `kind` is command, check, call or manual; `parts` is what it told of each tree or table.
    """

    key: str
    kind: str
    server: str
    title: str
    line: str
    status: str
    began: datetime
    ended: datetime | None
    seen: str
    row: Mapping[str, Any]
    items: Sequence[Mapping[str, Any]]
    parts: Sequence[Mapping[str, Any]]
    seconds: float
    exit: int | None
    unit: str
    attempts: int

    @property
    def step(self) -> str:
        """The step's name in the journal, with the number of its pass."""
        return self.key.split("/")[0]


def entries(lines: Iterable[Line]) -> list[Entry]:
    """The actions in the order of their first line."""
    starts: dict[str, list[Line]] = {}
    ends: dict[str, Line] = {}
    for line in lines:
        if line["event"] == "started":
            starts.setdefault(line["action"], []).append(line)
            ends.pop(line["action"], None)
        elif line["event"] in ENDS:
            starts.setdefault(line["action"], [])
            ends[line["action"]] = line
    return [_entry(key, starts[key], ends.get(key)) for key in starts]


def _entry(key: str, starts: list[Line], end: Line | None) -> Entry:
    first = starts[-1] if starts else end
    assert first is not None
    told = {**first, **(end or {})}
    return Entry(
        key=key,
        kind=told.get("kind", "command" if "unit" in told else "check"),
        server=told["server"],
        title=told["title"],
        line=first.get("line", ""),
        status=told["event"],
        began=moment(first),
        ended=moment(end) if end else None,
        seen=told.get("seen", ""),
        row=told.get("row", {}),
        items=told.get("items", []),
        parts=told.get("parts", []),
        seconds=told.get("seconds", 0.0),
        exit=told.get("exit"),
        unit=first.get("unit", ""),
        attempts=len(starts),
    )


def sessions(parts: list[Stretch], idle: float = 1800.0) -> Iterator[list[Stretch]]:
    """The stretches of one sitting together: a pause of more than `idle` seconds begins another one."""
    sitting: list[Stretch] = []
    for part in parts:
        if sitting and (part.began - sitting[-1].ended).total_seconds() > idle:
            yield sitting
            sitting = []
        sitting.append(part)
    if sitting:
        yield sitting


def together(parts: list[Stretch]) -> list[Stretch]:
    """Passes of a step that follow one another as one stretch, which ends as the last of them."""
    found: list[Stretch] = []
    for part in parts:
        name = part.step.split(".")[0]
        if found and found[-1].step == name:
            found[-1] = replace(found[-1], ended=part.ended, status=part.status)
        else:
            found.append(replace(part, step=name))
    return found
