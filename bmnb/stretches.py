"""When a run was at work, by its journal: every start of a step counts, and what waited for a person does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bmnb.journal import Line

OF_THE_RECORD = ("opened", "sealed", "held warm")
"""Events that tell of the record itself, not of the procedure."""

OF_A_PERSON = ("note", "answer", "unlocked")
"""Events that may come at any time while nothing is done."""

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Stretch:
    """A step from one start to its end, or to the last that is known of it where the run stopped in it."""

    step: str
    title: str
    phase: str
    began: datetime
    ended: datetime
    status: str

    @property
    def seconds(self) -> float:
        return (self.ended - self.began).total_seconds()


def stretches(lines: Iterable[Line]) -> list[Stretch]:
    """The steps in their order in time; one that was taken up again is there more than once."""
    found: list[Stretch] = []
    begun: Line | None = None
    last: Line | None = None
    for line in lines:
        if line["event"] in ("step started", "opened") and begun and last:
            found.append(_stretch(begun, last, "failed"))
            begun = None
        if line["event"] == "step started":
            begun = line
        if line["event"] == "step done" and begun:
            found.append(_stretch(begun, line, "done"))
            begun = None
        if line["event"] not in OF_THE_RECORD + OF_A_PERSON:
            last = line
    if begun and last:
        found.append(_stretch(begun, last, "failed" if last["event"] in ("failed", "stopped") else "started"))
    return found


def spans_by_step(lines: Iterable[Line]) -> dict[str, list[Span]]:
    """When each step was worked on, by its name in the journal.

    A command goes on on its server while nobody watches: until it ended, that is work as well.
    """
    kept = list(lines)
    found: dict[str, list[Span]] = {}
    for one in stretches(kept):
        found.setdefault(one.step, []).append((one.began, one.ended))
    begun: dict[str, Line] = {}
    for line in kept:
        if line["event"] == "started":
            begun[line["action"]] = line
        elif line["event"] in ("done", "failed") and line.get("seconds") and line["action"] in begun:
            began = moment(begun[line["action"]])
            until = min(moment(line), began + timedelta(seconds=line["seconds"]))
            found.setdefault(line["action"].split("/")[0], []).append((began, until))
    return found


def seconds_in(spans: Iterable[Span]) -> float:
    """Seconds that lie in any of the spans, each once."""
    seconds, reached = 0.0, None
    for began, ended in sorted(spans):
        new = began if reached is None else max(began, reached)
        seconds += max(0.0, (ended - new).total_seconds())
        reached = ended if reached is None else max(ended, reached)
    return seconds


def moment(line: Line) -> datetime:
    """When a line was written, in the local time of whoever wrote it where the line has it."""
    return datetime.fromisoformat(line["local"] if "local" in line else line["time"])


def _stretch(begun: Line, ended: Line, status: str) -> Stretch:
    # a clock that was put back would have it end before it began
    until = max(moment(begun), moment(ended))
    return Stretch(begun["step"], begun["title"], begun["phase"], moment(begun), until, status)
