"""What a fleet costs over its runs, measured, and what a night of many clients takes, simulated.

python -m benchmarks.fleet: CPU and memory of the fleet's own process for so many runs side by side.
python -m benchmarks.fleet --minutes 45 --cpu 60 --mib 270: nights of 10, 100 and 1,000 clients whose runs cost
that much on a worker. A client's data goes from its origin to its target, not through the worker.
"""

from __future__ import annotations

import argparse
import heapq
import math
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bmnb.fleet.conduct import Conductor, Wish
from bmnb.fleet.engine import Cluster, Engine
from bmnb.fleet.members import Member, Members, Notices
from bmnb.fleet.store import Store
from bmnb.procedures.changing_distributions import PROCEDURE

NIGHT_HOURS = 6.0
CORES, MIB = 4, 8192


@dataclass(frozen=True)
class Run:
    """What one client's run costs a worker: minutes of wall time, CPU seconds, MiB of memory."""

    minutes: float
    cpu: float
    mib: float


def measure(at_once: int) -> dict[str, float]:
    """Seconds, CPU seconds and MiB of the fleet's own process with so many runs side by side, each of 2 s."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        values = {"ssh_config": "/nowhere", "dry_run": False}
        members = [Member(f"c{n}", "measured", {**values, "client": f"c{n}"}) for n in range(at_once)]
        store = Store(place)
        store.make()
        before, begun = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        engine = Engine(at_once, Cluster(), store.folder)
        wish = Wish("", at_once, (sys.executable, "-S", "-c", "import time; time.sleep(2)"))
        Conductor(
            PROCEDURE,
            Members(tuple(members), {}, Notices()),
            store,
            engine,
            wish,
            lambda line: None,
            lambda kind, name: None,
            threading.Event(),
        ).run()
        engine.close()
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"seconds": time.monotonic() - begun - 2, "cpu_seconds": cpu, "mib": after.ru_maxrss / 1024}


def night(clients: int, slots: int, run: Run) -> float:
    """Hours until the last of so many runs has ended, each started as soon as a slot is free."""
    free = [0.0] * slots
    for _ in range(clients):
        heapq.heappush(free, heapq.heappop(free) + run.minutes / 60)
    return max(free)


def slots_of(run: Run) -> int:
    """How many runs a worker bears side by side: by its cores and its memory."""
    by_cpu = CORES / (run.cpu / (run.minutes * 60))
    return max(1, math.floor(min(by_cpu, MIB / run.mib)))


def nights(run: Run) -> Iterator[str]:
    per_worker = slots_of(run)
    for clients in (10, 100, 1000):
        slots = next(n for n in range(1, clients + 1) if night(clients, n, run) <= NIGHT_HOURS)
        workers = math.ceil(slots / per_worker)
        yield (
            f"{clients:5} clients in {NIGHT_HOURS:.0f} h: {slots} at once, {workers} workers of {CORES} cores and"
            f" {MIB // 1024} GiB with {per_worker} slots each"
        )


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("minutes", "cpu", "mib"):
        options.add_argument(f"--{name}", type=float)
    given = options.parse_args()
    if given.minutes:
        print("\n".join(nights(Run(given.minutes, given.cpu, given.mib))))
        return
    for at_once in (1, 8, 32):
        print(at_once, {name: round(value, 2) for name, value in measure(at_once).items()})


if __name__ == "__main__":
    main()
