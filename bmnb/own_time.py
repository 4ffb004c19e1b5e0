"""How long BlueMind itself took to stop and to start, by a journal: it is the server's time, and not the procedure's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bmnb.bluemind.durations import STARTS, STOPS
from bmnb.journal import Record, step_of
from bmnb.stretches import moment
from bmnb.verification.files import LOOK

STOP, START = "bmctl stop", "bmctl start"
OF_STEPS = ("step started", "started", "done", "step done")


@dataclass(frozen=True)
class OwnTime:
    """Seconds that this client's servers took; None where that is not known.

    `stop` is the origin's, as it was the last time, or the target's where nobody knows that; then it is `elsewhere`.
    """

    stop: float | None = None
    start: float | None = None
    elsewhere: bool = False

    @property
    def known(self) -> float | None:
        return None if self.stop is None or self.start is None else self.stop + self.start


def measured(journal: Record, origin: str, target: str) -> OwnTime:
    """What was measured before the downtime; of both servers' starts the longer, since the target had few data."""
    starts = [_last(journal, server, STARTS) for server in (origin, target)]
    start = max((one for one in starts if one is not None), default=None)
    stop = _last(journal, origin, STOPS)
    if stop is not None:
        return OwnTime(stop, start)
    there = max(taken(journal, "stop-target"), default=None)
    return OwnTime(there, start, elsewhere=there is not None)


def taken(journal: Record, step: str) -> list[float]:
    """Seconds of each time that a step had BlueMind stopped or started, until a check has seen that it was.

    A step that stops both servers counts from the first to the last.
    """
    return list(_taken(journal, step))


def _taken(journal: Record, step: str) -> Iterator[float]:
    began = ended = None
    for line in journal.lines:
        if line["event"] not in OF_STEPS or step_of(line) != step:
            continue
        if line["event"] == "step started":
            began = ended = None
        elif line["event"] == "started" and line["line"] in (STOP, START):
            began = began or line
        elif line["event"] == "done" and began and line["title"].endswith(("are stopped", "are running")):
            ended = line
        elif line["event"] == "step done" and began and ended:
            yield (moment(ended) - moment(began)).total_seconds()


def look_seconds(journal: Record) -> float:
    """How long the slower server took for its last look at every name; 0 where there was none."""
    last = {line["server"]: float(line["seconds"]) for line in journal.events("done", title=LOOK)}
    return max(last.values(), default=0.0)


def _last(journal: Record, server: str, what: str) -> float | None:
    """The last that was counted there."""
    found = None
    for line in journal.events("done"):
        if line["server"] == server and what in line.get("row", {}):
            found = float(line["row"][what])
    return found
