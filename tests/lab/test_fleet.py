"""Three clients in one command: one migrates, one's target is dead, one waits for an answer; then on two workers,
one of which dies with all that it runs."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from bmnb.fleet.store import Client, Store
from bmnb.lab import Lab
from bmnb.lab.clients import entry
from bmnb.lab.demo import unexpected
from tests.fleet.cluster import Machines, certificates, machines
from tests.lab.migration import BMNB

pytestmark = pytest.mark.lab
NAMES = ("one", "dead", "asks")
SMALL: dict[str, Any] = {"messages": 200, "rows": 1000, "users": 8}


@pytest.fixture(scope="module")
def labs() -> Iterator[dict[str, Lab]]:
    with ExitStack() as up:
        made = {name: Lab(f"flt-{name}-{os.getpid()}", print) for name in NAMES}
        for lab in made.values():
            up.callback(lab.down)
            lab.up(**SMALL)
        yield made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fleet")


def inventory(place: Path, labs: dict[str, Lab], **answers: dict[str, str]) -> Path:
    path = place / "inventory.yaml"
    clients = [
        entry(lab, client=name, **({"answers": answers[name]} if name in answers else {}))
        for name, lab in labs.items()
    ]
    path.write_text(yaml.safe_dump({"clients": clients}))
    return path


def fleet(place: Path, source: Path, *more: str) -> subprocess.Popen[str]:
    command = [
        *BMNB,
        "fleet",
        "run",
        "changing-distributions",
        str(source),
        "--runs",
        str(place / "runs"),
        *more,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def client(place: Path, name: str) -> Client:
    return Store(place / "runs").client(name)


def steps(place: Path, name: str) -> list[str]:
    """The steps that have begun, by the journal."""
    path = Path(client(place, name).folder) / "journal.jsonl"
    lines = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []
    return [line["step"] for line in map(json.loads, lines) if line["event"] == "step started"]


def started_more_than_once(lab: Lab) -> list[str]:
    """The units that a server has started more than once, by its own journal; there must be some at all."""
    found = []
    for server in lab.servers:
        units = server.must(
            "journalctl -q --no-pager -o cat | grep -o 'Started.*units/[^ /]*' || test $? = 1"
        )
        names = [line.rpartition("/")[2] for line in units.splitlines()]
        assert names, f"{server.name}: no unit in its journal"
        found += [name for name in set(names) if names.count(name) > 1]
    return found


def kill_tree(pid: int) -> None:
    """SIGKILL for a process and all below it, as where a machine loses its power."""
    tree = [pid]
    for one in tree:
        children = Path(f"/proc/{one}/task").glob("*/children")
        tree += [int(child) for path in children for child in path.read_text().split()]
    for one in tree:
        os.kill(one, 9)


def worker_of(up: Machines, name: str) -> subprocess.Popen[bytes]:
    """The worker that runs a client."""
    for worker in up.workers:
        for path in Path(f"/proc/{worker.pid}/task").glob("*/children"):
            for child in path.read_text().split():
                if f"clients/{name}.yaml" in Path(f"/proc/{child}/cmdline").read_text():
                    return worker
    raise AssertionError(f"no worker runs {name}")


def test_one_is_done_one_fails_and_one_waits(labs: dict[str, Lab], place: Path):
    labs["dead"].target.cut_power()
    running = fleet(place, inventory(place, labs, asks={}), "--at-once", "2")
    said, _ = running.communicate(timeout=600)
    assert running.returncode == 1, said
    assert {name: client(place, name).state for name in NAMES} == {
        "one": "done",
        "dead": "failed",
        "asks": "waiting",
    }, said
    assert unexpected(labs["one"]) == []
    assert "target" in client(place, "dead").why
    assert "erase-target" in client(place, "asks").why
    page = (place / "runs/fleet/report.html").read_text()
    assert all(word in page for word in ("done", "failed", "waiting", "erase-target"))
    shown = subprocess.run(
        [*BMNB, "fleet", "status", "--runs", str(place / "runs"), "--json"], capture_output=True
    )
    rows = {row["client"]: row for row in json.loads(shown.stdout)}
    assert rows["one"]["downtime"] > 0
    assert rows["one"]["verdict"].startswith("Done.")


def test_the_rest_on_two_workers_one_of_which_dies(labs: dict[str, Lab], place: Path):
    labs["dead"].target.start()
    before = steps(place, "one")
    with machines(place, tls=certificates(place / "tls")) as up:
        tls = zip(("--tls-ca", "--tls-cert", "--tls-key"), up.tls.values(), strict=True)
        options = [word for pair in tls for word in pair]
        running = fleet(place, inventory(place, labs), "--scheduler", up.address, *options)
        while not any(step.startswith("hot") for step in steps(place, "asks")):
            assert running.poll() is None, running.communicate()
            time.sleep(0.1)
        kill_tree(worker_of(up, "asks").pid)
        said, _ = running.communicate(timeout=600)
    assert running.returncode == 0, said
    assert "asks: lost: its worker" in said
    assert {client(place, name).state for name in NAMES} == {"done"}
    assert steps(place, "one") == before
    for name in ("dead", "asks"):
        assert unexpected(labs[name]) == []
    assert [started_more_than_once(lab) for lab in labs.values()] == [[]] * 3
