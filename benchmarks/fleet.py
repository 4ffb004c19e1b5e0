"""What a fleet costs over its runs.

python -m benchmarks.fleet: seconds and memory that `bmnb fleet run` adds to `bmnb run`, with plans alone as
runs, so that no server is needed; and the time of 200 runs that do nothing, against their own time.
python -m benchmarks.fleet --clients 6: the first part with so many clients, two at once.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks.cost import Cost, cost
from bmnb.fleet.conduct import Conductor, Wish
from bmnb.fleet.engine import Cluster, Engine
from bmnb.fleet.members import Member, Members
from bmnb.fleet.notices import Notices
from bmnb.fleet.store import Store
from bmnb.procedures.changing_distributions import PROCEDURE

BMNB = [sys.executable, "-m", "bmnb"]
NOTHING = (sys.executable, "-S", "-c", "import time; time.sleep(1)")


def client(folder: Path, number: int) -> Path:
    """The client file of a run that only plans."""
    path = folder / f"c{number}.yaml"
    servers = {"origin": f"o{number}.example", "target": f"t{number}.example"}
    path.write_text(yaml.safe_dump({"client": f"c{number}", "dry_run": True, **servers}))
    return path


def alone() -> Cost:
    """`bmnb run` by itself."""
    with tempfile.TemporaryDirectory() as place:
        path = client(Path(place), 1)
        return cost(*BMNB, "run", PROCEDURE.name, "-f", str(path), "--runs", f"{place}/runs")


def together(clients: int, slots: int) -> Cost:
    """`bmnb fleet run` over so many such clients."""
    with tempfile.TemporaryDirectory() as place:
        files = [str(client(Path(place), number)) for number in range(clients)]
        options = ["--runs", f"{place}/runs", "--at-once", str(slots)]
        return cost(*BMNB, "fleet", "run", PROCEDURE.name, *files, *options)


def over(one: Cost, fleet: Cost, clients: int, slots: int) -> tuple[float, float, float]:
    """Seconds, CPU seconds and MiB that each of these clients costs more than by itself."""
    return (
        fleet.seconds / clients - one.seconds / slots,
        fleet.cpu / clients - one.cpu,
        fleet.mib / slots - one.mib,
    )


def nothing(runs: int, slots: int) -> tuple[float, float]:
    """Seconds of a fleet whose runs do nothing for a second, and the time of one times runs, by slots."""
    begun = time.monotonic()
    subprocess.run(NOTHING, check=True)
    one = time.monotonic() - begun
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        conduct(Path(folder), runs, slots)
        return time.monotonic() - begun, one * runs / slots


def conduct(place: Path, runs: int, slots: int) -> None:
    values = {"ssh_config": "/nowhere", "dry_run": False}
    members = [Member(f"c{n}", "measured", {**values, "client": f"c{n}"}) for n in range(runs)]
    store = Store(place)
    store.make()
    engine = Engine(slots, Cluster(), store.folder)
    wish = Wish("", slots, NOTHING)
    heard: Any = lambda *_: None  # noqa: E731
    every = Members(tuple(members), {}, Notices())
    code = Conductor(PROCEDURE, every, store, engine, wish, heard, heard, threading.Event()).run()
    engine.close()
    assert code == 0, code


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--clients", type=int, default=1)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--runs", type=int, default=200)
    given = options.parse_args()
    slots = min(2, given.clients)
    pairs = [(alone(), together(given.clients, slots)) for _ in range(given.rounds)]
    for one, fleet in pairs:
        print(f"bmnb run: {one}\nbmnb fleet run, {given.clients} clients: {fleet}")
    more = [over(one, fleet, given.clients, slots) for one, fleet in pairs]
    seconds, cpu, memory = (statistics.median(each) for each in zip(*more, strict=True))
    print(
        f"a run costs {seconds:.1f} s, {cpu:.1f} s of CPU and {memory:.0f} MiB more in a fleet of {given.clients},"
        f" {slots} at once"
    )
    took, own = nothing(given.runs, 8)
    print(
        f"{given.runs} runs that do nothing, 8 at once: {took:.1f} s, {took / own:.2f} times their own time"
    )


if __name__ == "__main__":
    main()
