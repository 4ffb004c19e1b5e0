"""Clients in one command, one with a dead server and one that waits for an answer; then on two workers
in networks of their own, which die in the hot pass and in the import."""

import json
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import yaml

from bmnb.fleet.store import Client, Store
from bmnb.lab import Lab
from bmnb.lab.clients import entry
from bmnb.lab.demo import unexpected
from bmnb.lab.network import Bridge
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.run import batches
from bmnb.settings import make
from bmnb.steps import Command
from tests.fleet.cluster import Machines, certificates, machines
from tests.fleet.hosts import hosts
from tests.lab.conftest import CALM, SMALL
from tests.lab.migration import BMNB, values

pytestmark = pytest.mark.lab
WELL = ("one", "two")
NAMES = (*WELL, "dead", "asks")
HOT, IMPORT = "hot-synchronization", "import-databases"
Process = subprocess.Popen[Any]


@pytest.fixture(scope="module")
def labs() -> Iterator[dict[str, Lab]]:
    with ExitStack() as up:
        made = {name: Lab(f"flt-{name}-{os.getpid()}", print) for name in NAMES}
        for lab in made.values():
            up.callback(lab.down)
            lab.up(**SMALL)
            lab.origin.must(CALM)
        yield made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fleet")


def inventory(place: Path, labs: dict[str, Lab], **more: dict[str, Any]) -> Path:
    path = place / "inventory.yaml"
    clients = [entry(lab, client=name, **more.get(name, {})) for name, lab in labs.items()]
    path.write_text(yaml.safe_dump({"engine": "literal", "restart_target": "never", "clients": clients}))
    return path


def fleet(place: Path, source: Path, *more: str) -> subprocess.Popen[str]:
    command = [*BMNB, "fleet", "run", "changing-distributions", str(source), "--runs", str(place / "runs")]
    return subprocess.Popen([*command, *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def client(place: Path, name: str) -> Client:
    return Store(place / "runs").client(name)


def states(place: Path) -> dict[str, str]:
    return {one.name: one.state for one in Store(place / "runs").clients()}


def under_way(place: Path, name: str, step: str, title: str = "") -> bool:
    """Whether a client's run has started something on a server in this step, by its journal."""
    paths = list((place / "runs").glob(f"*-{name}-*/journal.jsonl"))
    lines = paths[0].read_text().rpartition("\n")[0].splitlines() if paths else []
    return any(
        "unit" in line and line["action"].startswith(step) and line["title"].startswith(title)
        for line in map(json.loads, lines)
    )


def until(running: Process, holds: Callable[[], bool]) -> None:
    while not holds():
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)


def below(process: Process) -> list[psutil.Process]:
    """All processes below one."""
    return psutil.Process(process.pid).children(recursive=True)


def worker_of(up: Machines, name: str) -> Process:
    """The worker that runs a client."""
    return next(
        worker
        for worker in up.workers
        if worker.poll() is None
        and any(f"clients/{name}.yaml" in " ".join(one.cmdline()) for one in below(worker))
    )


def cut_power(worker: Process) -> None:
    """SIGKILL for a worker and all that it runs."""
    for one in [psutil.Process(worker.pid), *below(worker)]:
        one.kill()
    worker.wait()


def started(lab: Lab) -> Counter[str]:
    """How often each action was started on a client's servers, as their own journals have it."""
    lines = [
        server.must("journalctl -q --no-pager -o cat _PID=1 | grep 'Started.*/units/' || test $? = 1")
        for server in lab.servers
    ]
    units = [one[1] for text in lines for one in re.finditer(r"/units/[0-9a-f]+-(\S+)-\d+/wrapper ", text)]
    return Counter(units)


def ensured(lab: Lab, place: Path) -> set[str]:
    """The actions that a step repeats when it is taken up, since they only make sure of what holds."""
    settings = make(PROCEDURE.settings, values(lab, place))
    return {
        key.replace("/", "-")
        for step in PROCEDURE.steps
        for batch in batches(step, settings, f"{step.name}.1" if step.passes else step.name)
        for key, action in batch
        if isinstance(action, Command) and action.ensure
    }


def test_a_run_is_stopped_in_order(labs: dict[str, Lab], place: Path):
    lab, source = labs["one"], inventory(place, {"one": labs["one"]})
    running = fleet(place, source, "--through", HOT)
    until(running, lambda: under_way(place, "one", HOT))
    (kernel,) = [one for one in below(running) if "ipykernel_launcher" in one.cmdline()]
    stopped = subprocess.run([*BMNB, "fleet", "stop", "one", "--runs", place / "runs"], capture_output=True)
    assert stopped.returncode == 0, stopped.stderr
    said, _ = running.communicate(timeout=120)
    assert (running.returncode, states(place)) == (3, {"one": "stopped"}), said
    book = nbformat.read(Path(client(place, "one").folder) / "notebook.ipynb", 4)
    cells = [cell.metadata.papermill.status for cell in book.cells if cell.cell_type == "code"]
    assert list(dict.fromkeys(cells)) == ["completed", "failed", "pending"]
    assert not kernel.is_running()
    for server in lab.servers:
        assert server.must("systemctl list-units --plain --no-legend --state=running 'bmnb-20*'") == ""


def test_all_in_one_command(labs: dict[str, Lab], place: Path):
    labs["dead"].target.cut_power()
    running = fleet(place, inventory(place, labs, asks={"answers": {}}), "--at-once", "2")
    said, _ = running.communicate(timeout=900)
    assert running.returncode == 1, said
    ends = dict.fromkeys(WELL, "done") | {"dead": "failed", "asks": "waiting"}
    assert states(place) == ends, said
    assert "target" in client(place, "dead").why
    assert "erase-target" in client(place, "asks").why
    for name in WELL:
        assert unexpected(labs[name]) == []
    shown = subprocess.run(
        [*BMNB, "fleet", "status", "--runs", place / "runs", "--json"], capture_output=True, check=True
    )
    rows = {row["client"]: row for row in json.loads(shown.stdout)}
    assert {name: row["state"] for name, row in rows.items()} == ends
    assert [rows[name]["verdict"].startswith("Done.") for name in NAMES] == [True] * len(WELL) + [False] * 2
    assert all(rows[name]["downtime"] > 0 for name in WELL)
    for row in rows.values():
        page = Path(row["report"]).read_text()
        assert ("Unfinished." in page) == (row["state"] != "done")
    page = (place / "runs/fleet/report.html").read_text()
    assert all(word in page for word in (*NAMES, "done", "failed", "waiting", "erase-target"))


def test_the_rest_on_two_workers_that_die(labs: dict[str, Lab], place: Path):
    labs["dead"].target.start()
    before = started(labs["two"])
    with ExitStack() as up:
        network = up.enter_context(Bridge.free())
        bridges = [lab.bridge for lab in labs.values()]
        apart = up.enter_context(hosts(("scheduler", "worker-1", "worker-2"), network, bridges))
        cluster = up.enter_context(machines(place, tls=certificates(place / "tls"), hosts=apart))
        tls = zip(("--tls-ca", "--tls-cert", "--tls-key"), cluster.tls.values(), strict=True)
        options = [word for pair in tls for word in pair]
        running = fleet(place, inventory(place, labs), "--scheduler", cluster.address, *options)
        until(running, lambda: under_way(place, "asks", HOT))
        cut_power(worker_of(cluster, "asks"))
        cluster.start_worker()
        until(running, lambda: under_way(place, "dead", IMPORT, "import "))
        cut_power(worker_of(cluster, "dead"))
        cluster.start_worker()
        said, _ = running.communicate(timeout=600)
    assert running.returncode == 0, said
    assert all(f"{name}: lost: its worker tls://{network.address(10)}" in said for name in ("asks", "dead"))
    assert set(states(place).values()) == {"done"}
    for name in ("dead", "asks"):
        assert unexpected(labs[name]) == []
    assert started(labs["two"]) == before
    assert set(before.values()) == {1}
    for name in ("dead", "asks"):
        count = started(labs[name])
        assert count.keys() == before.keys()
        assert {action for action, times in count.items() if times > 1} <= ensured(labs[name], place)
