"""What a night of many clients needs: python -m benchmarks.sizing --cpu 40 --mib 260 --minutes 45.

The figures are those of one run on a worker, as `bmnb fleet status --json` has them: its CPU seconds, its
memory, its time. Runs differ in their time as clients differ in their mail: by a factor of 1.5 either way for
two of three. The fleet's own `turn` decides who starts; the night is simulated.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bmnb.fleet.store import DONE, PLANNED, STARTED, Client
from bmnb.fleet.turns import Candidate, turn
from bmnb.fleet.wishes import Wishes

NIGHT_HOURS = 6.0
CORES, MIB = 4, 8192
FLEET_MIB = 130
"""What the fleet's command, or a worker without runs, takes itself."""
EVENING = datetime(2026, 1, 31, 22, tzinfo=UTC)


@dataclass(frozen=True)
class Run:
    """What one client's run costs a worker: minutes of wall time in the middle, CPU seconds, MiB of memory."""

    minutes: float
    cpu: float
    mib: float


def lengths(clients: int, run: Run) -> list[float]:
    """The minutes of so many runs; the same ones each time."""
    chance = random.Random(1)
    return [run.minutes * 1.5 ** chance.gauss(0, 1) for _ in range(clients)]


def night(minutes: list[float], slots: int) -> float:
    """Hours until the last of these runs has ended, so many at once."""
    candidates = [_planned(place) for place in range(len(minutes))]
    ends, now = list[tuple[float, int]](), 0.0
    while True:
        for one in turn(candidates, EVENING, slots - len(ends), {}).start:
            heapq.heappush(ends, (now + minutes[one.client.place] / 60, one.client.place))
            candidates[one.client.place] = _as(one, STARTED)
        if not ends:
            return now
        now, place = heapq.heappop(ends)
        candidates[place] = _as(candidates[place], DONE)


def _planned(place: int) -> Candidate:
    facts = {"source": "", "settings": "", "wishes": "", "folder": "", "through": "", "reached": ""}
    more = {"why": "", "exit": None, "attempts": 0, "machine": "", "began": "", "ended": "", "stop": 0}
    client = Client(f"c{place}", place, state=PLANNED, cpu_seconds=0, peak_mib=0, **facts, **more)  # type: ignore[arg-type]
    return Candidate(client, Wishes(), "post-migration")


def _as(one: Candidate, state: str) -> Candidate:
    return replace(one, client=replace(one.client, state=state))


def slots_for(clients: int, run: Run) -> int:
    """The fewest slots with which all are done in a night. Raise ValueError where one run is longer than that."""
    minutes = lengths(clients, run)
    if max(minutes) > NIGHT_HOURS * 60:
        raise ValueError(f"a run of {max(minutes):.0f} minutes is longer than the night")
    low, high = 1, clients
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if night(minutes, middle) <= NIGHT_HOURS else (middle + 1, high)
    return low


def slots_of(run: Run) -> int:
    """How many runs a worker bears side by side: by its cores, half of them kept free for bursts, and its memory."""
    by_cpu = CORES / 2 / (run.cpu / (run.minutes * 60))
    return max(1, math.floor(min(by_cpu, (MIB - FLEET_MIB) / run.mib)))


def nights(run: Run) -> Iterator[str]:
    yield f"| clients | at once | workers of {CORES} cores and {MIB // 1024} GiB, {slots_of(run)} slots each |"
    yield "| --- | --- | --- |"
    for clients in (10, 100, 1000):
        slots = slots_for(clients, run)
        yield f"| {clients:,} | {slots} | {math.ceil(slots / slots_of(run))} |"


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("minutes", "cpu", "mib"):
        options.add_argument(f"--{name}", type=float, required=True)
    given = options.parse_args()
    print("\n".join(nights(Run(given.minutes, given.cpu, given.mib))))


if __name__ == "__main__":
    main()
