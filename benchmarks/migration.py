"""One migration on a lab of its own, measured: hot pass, what users change, cold phase, comparison."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.meter import Meter
from benchmarks.relay import LOOPBACK, Line, relay
from bmnb.bluemind import paths
from bmnb.journal import Journal
from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from bmnb.lab.pace import AT_ONCE, Pace
from bmnb.own_time import taken
from bmnb.procedures import changing_distributions as procedure
from bmnb.run import Run
from bmnb.settings import make

OUT = Path(__file__).with_name("out")
TREES = (*paths.TREES, *paths.ADDED_TREES)
CHANGE = Path(__file__).with_name("change.py")
ANSWERS = {"erase-target": "target", "stop-service": "origin", "switch-servers": "origin"}
SSH_PORT, RELAY_PORT = 22, 2222

FILES_A_USER = 500
ROWS_A_FILE = 20
"""20 rows a file are 1 GB of databases with their indexes at 200,000 files."""

PARTS = {
    "stop": (procedure.stop_services,),
    "files": (procedure.cold_synchronization,),
    "dump": (procedure.dump_databases,),
    "configuration": (procedure.copy_configuration,),
    "import": (procedure.import_databases,),
    "verify": (procedure.verify_copy,),
    "switch": (procedure.stop_origin, procedure.take_over_address, procedure.restart_target),
}
"""Each part of the downtime with its steps. With the fast engine, `files` has databases and configuration beside it."""

OWN = "BlueMind's own stop and start"


@dataclass(frozen=True)
class Case:
    """What is measured: an engine over a line, with warm or cold caches, with so many files.

    The variant `replication` is the fast engine with the databases by logical replication.
    """

    variant: str
    line: Line
    cache: str
    files: int
    share: float = 0.005
    pace: Pace = AT_ONCE

    def common(self, number: int) -> dict[str, Any]:
        """What all rows of a round have."""
        return {
            "variant": self.variant,
            "line": self.line.name + self.slowly,
            "cache": self.cache,
            "files": self.files,
            "round": number,
        }

    @property
    def settings(self) -> dict[str, str]:
        # a restart of servers that are back at once costs both engines the same
        restarts = {"restart_target": "before" if self.pace.slower else "never"}
        if self.variant == "replication":
            return {"engine": "fast", "database_copy": "replication", **restarts}
        return {"engine": self.variant, **restarts}

    @property
    def slowly(self) -> str:
        """What a table says of servers as slow as real ones."""
        pace = self.pace
        return f"; services {pace.service} s, boot {pace.boot} s" if pace.slower else ""

    @property
    def wal_level(self) -> str:
        return "logical" if self.variant == "replication" else "replica"

    @property
    def users(self) -> int:
        return max(10, self.files // FILES_A_USER)


def measure(case: Case, number: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of one migration."""
    common = case.common(number)
    name = f"fstb-{os.getpid()}"
    with tempfile.TemporaryDirectory() as runs, Lab(name, print) as lab:
        prepared(lab, case)
        run = opened(lab, runs, case.settings)
        with line_between(lab, case.line):
            yield from ({**common, **row} for row in hot(lab, run))
            changed(lab, case, number)
            rows = list(cold(lab, run))
        run.close()
        OUT.mkdir(exist_ok=True)
        shutil.copy(run.journal.path, OUT / f"{case.variant}-{case.files}-{case.cache}-{number}.jsonl")
        rows.append(row("limit: bare look at the origin's metadata", bare_look(lab)))
        differences = len(unexpected(lab))
        yield from ({**common, **row, "differences": differences} for row in rows)


def prepared(lab: Lab, case: Case) -> None:
    rows = case.files * ROWS_A_FILE
    lab.up(
        messages=case.files,
        rows=rows,
        users=case.users,
        wal_level=case.wal_level,
        handles=True,
        pace=case.pace,
    )
    lab.origin.must("systemctl disable --now bmnb-writer")


def changed(lab: Lab, case: Case, number: int) -> None:
    """What users do between the last hot pass and the stop."""
    lab.origin.must(f"python3 - {case.share} {number} <<'END'\n{CHANGE.read_text()}\nEND")
    if case.cache == "cold":
        Path("/proc/sys/vm/drop_caches").write_text("3\n")


def opened(lab: Lab, runs: str, settings: dict[str, str]) -> Run:
    values = {
        "client": "bench",
        "origin": "origin",
        "target": "target",
        "address": lab.origin.address,
        "ssh_config": str(lab.ssh_config),
        "runs": runs,
        "answers": ANSWERS,
        **settings,
        "dry_run": False,
    }
    return Run(procedure.PROCEDURE, make(procedure.Settings, values), show=lambda table: None)


@contextmanager
def line_between(lab: Lab, line: Line) -> Iterator[None]:
    """Lead the target's ssh to the origin through the line, which is on this machine.

    The origin takes what comes from there for the target's own, since the run's key is for the target alone.
    """
    if line == LOOPBACK:
        yield
        return
    here, origin, target = lab.bridge.address(1), lab.origin, lab.target
    origin.must(
        f"iptables -t nat -A PREROUTING -p tcp --dport {RELAY_PORT} -j REDIRECT --to-ports {SSH_PORT}; "
        f"iptables -t nat -A INPUT -p tcp -m conntrack --ctorigdstport {RELAY_PORT} -j SNAT --to-source {target.address}"
    )
    rule = (
        f"OUTPUT -p tcp -d {origin.address} --dport {SSH_PORT} -j DNAT --to-destination {here}:{RELAY_PORT}"
    )
    with relay(line, (here, RELAY_PORT), (origin.address, RELAY_PORT)):
        target.must(f"iptables -t nat -A {rule}")
        try:
            yield
        finally:
            target.must(f"iptables -t nat -D {rule}")


def hot(lab: Lab, run: Run) -> Iterator[dict[str, Any]]:
    for step in procedure.PROCEDURE.steps[: procedure.PROCEDURE.steps.index(procedure.hot_synchronization)]:
        run(step)
    with Meter(lab.origin) as origin, Meter(lab.target) as target:
        run(procedure.hot_synchronization)
    run(procedure.compare_ahead)
    lines = run.journal.lines
    yield row("hot pass", seconds_of(run.journal, procedure.hot_synchronization), origin, target)
    yield row("contents ahead", seconds_of(run.journal, procedure.compare_ahead))
    for line in lines:
        if line["event"] == "done" and line["action"].startswith("hot-") and line.get("row"):
            yield row(f"hot: {line['title']}", line["seconds"])


def cold(lab: Lab, run: Run) -> Iterator[dict[str, Any]]:
    steps = procedure.PROCEDURE.steps
    first, last = steps.index(procedure.stop_services), steps.index(procedure.restart_target)
    with Meter(lab.origin) as origin, Meter(lab.target) as target:
        for step in steps[first : last + 1]:
            run(step)
    journal = run.journal
    yield row("downtime", seconds_of(journal, *steps[first : last + 1]), origin, target)
    for part, of in PARTS.items():
        yield row(part, seconds_of(journal, *of))
    yield row("databases", databases(journal))
    yield row(OWN, own_seconds(journal))
    names = tuple(step.name for step in steps[first : last + 1])
    for line in journal.lines:
        if line["event"] == "done" and line["action"].startswith(names) and line["seconds"]:
            yield row(f"cold: {line['title']}", line["seconds"])
    for step in steps[last + 1 :]:
        run(step)


def databases(journal: Journal) -> float:
    """Seconds for which the databases alone would keep the service down: dump, or the slower pass, and import."""
    carried = [
        line["seconds"]
        for line in journal.lines
        if line["event"] == "done"
        and line["action"].startswith(procedure.cold_synchronization.name)
        and line["title"].startswith(("rows of ", "changes of "))
    ]
    before = max(carried, default=seconds_of(journal, procedure.dump_databases))
    return round(before + seconds_of(journal, procedure.import_databases), 2)


def own_seconds(journal: Journal) -> float:
    """Seconds of the downtime that BlueMind itself takes to stop and to start."""
    steps = procedure.stop_services, procedure.restart_target
    return round(sum(max(taken(journal, step.name), default=0.0) for step in steps), 2)


def bare_look(lab: Lab) -> float:
    """Seconds that one find takes for all trees of the origin, its caches warm."""
    line = f"find $(ls -d {' '.join(TREES)} 2> /dev/null) -printf '%C@ %i %s\\n' > /dev/null"
    lab.origin.must(line)
    began = time.monotonic()
    lab.origin.must(line)
    return round(time.monotonic() - began, 2)


def seconds_of(journal: Journal, *steps: Any) -> float:
    """Seconds from the beginning of the first of these steps to the end of the last."""
    began = next(line for line in journal.lines if line.get("step", "").split(".")[0] == steps[0].name)
    ended = [
        line
        for line in journal.lines
        if line["event"] == "step done" and line["step"].split(".")[0] == steps[-1].name
    ]
    times = (datetime.fromisoformat(line["time"]) for line in (ended[-1], began))
    return round((next(times) - next(times)).total_seconds(), 2)


def row(part: str, seconds: float, *meters: Meter) -> dict[str, Any]:
    """A row of the results; `bytes` are those that the origin sent."""
    return {
        "part": part,
        "seconds": seconds,
        "bytes": meters[0].sent_bytes if meters else None,
        "cpu_seconds": round(sum(meter.cpu_seconds for meter in meters), 2) if meters else None,
        "peak_mib": round(max(meter.peak_mib for meter in meters), 1) if meters else None,
        "differences": None,
    }
