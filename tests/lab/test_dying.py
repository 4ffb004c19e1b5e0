"""Each way of dying on real servers: exit status, notebook, journal, status and report tell the same story.

Each time the same command takes the run up again, and nothing runs on the servers that the journal does not know.
"""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from bmnb.lab import Lab
from bmnb.lab.server import Server
from tests.lab.migration import BMNB, client_file, journal, kill_all, start

pytestmark = pytest.mark.lab
PHASE = "hot-synchronization"
RUNNING = "systemctl list-units --plain --no-legend --state=running 'bmnb-*' | awk '{print $1}'"

Process = subprocess.Popen[str]


@pytest.fixture(scope="module")
def client(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More passes than there are deaths, so that something always runs."""
    return client_file(lab, tmp_path_factory.mktemp("dying") / "runs", hot_passes=20, through=PHASE)


def folder(client: Path) -> Path:
    return next(client.parent.glob("*/journal.jsonl")).parent


def under_way(client: Path) -> Process:
    """The run, as soon as it has started something on a server that it has not started before."""
    known = len(journal(client.parent))
    running = start(client)
    while running.poll() is None:
        new = journal(client.parent)[known:]
        if (
            new
            and new[-1]["event"] == "started"
            and new[-1]["action"].startswith(PHASE)
            and "unit" in new[-1]
        ):
            return running
        time.sleep(0.02)
    raise AssertionError(running.communicate()[0])


def kernel(running: Process) -> int:
    """The kernel's process, the only child of the command that is a Python."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    return next(int(one) for one in children if b"ipykernel" in Path(f"/proc/{one}/cmdline").read_bytes())


def told(client: Path) -> dict[str, Any]:
    """What `bmnb status` says."""
    said = subprocess.run(
        [*BMNB, "status", folder(client), "--json"], capture_output=True, text=True, check=True
    )
    return dict(json.loads(said.stdout))


def cells(client: Path) -> list[str]:
    """The status of the code cells, each once, in their order."""
    book = nbformat.read(folder(client) / "notebook.ipynb", 4)
    return list(dict.fromkeys(one.metadata.papermill.status for one in book.cells if one.cell_type == "code"))


def unrecorded(server: Server, client: Path) -> list[str]:
    """What runs on a server though the journal does not know that it was started."""
    known = {f"bmnb-{line['unit']}.service" for line in journal(client.parent) if "unit" in line}
    return [unit for unit in server.must(RUNNING).split() if unit not in known]


def report(client: Path) -> str:
    made = subprocess.run([*BMNB, "report", folder(client)], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    verified = subprocess.run([*BMNB, "verify", folder(client)], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout
    return (folder(client) / "report.html").read_text()


# how it dies, its exit status, the last statuses in the notebook, the state, a word of the reason
DEATHS = {
    "kernel killed": (
        lambda running: kill(kernel(running)),
        1,
        ["failed", "pending"],
        "stopped",
        "kernel died",
    ),
    "Ctrl-C": (
        lambda running: running.send_signal(signal.SIGINT),
        3,
        ["failed", "pending"],
        "stopped",
        "interrupted",
    ),
    "SIGTERM": (lambda running: running.terminate(), 3, ["failed", "pending"], "stopped", "SIGTERM"),
    "SIGHUP": (
        lambda running: running.send_signal(signal.SIGHUP),
        3,
        ["failed", "pending"],
        "stopped",
        "SIGHUP",
    ),
    "SIGKILL": (lambda running: running.kill(), -9, ["running", "pending"], "open", ""),
    "controller lost its power": (lambda running: kill_all(running), -9, ["running", "pending"], "open", ""),
}


def kill(process: int) -> None:
    subprocess.run(["kill", "-KILL", str(process)], check=True)


@pytest.mark.parametrize("how", DEATHS)
def test_all_tell_the_same_true_story(lab: Lab, client: Path, how: str):
    die, status, statuses, state, why = DEATHS[how]
    running = under_way(client)
    child = Path(f"/proc/{kernel(running)}")
    die(running)
    running.communicate(timeout=120)
    assert running.returncode == status
    wait_until(lambda: not child.exists())
    assert cells(client) == ["completed", *statuses]
    assert told(client)["state"] == state
    assert why in told(client)["why"]
    assert unrecorded(lab.target, client) == []
    if how == "Ctrl-C":
        assert lab.target.must(RUNNING).split() == []
    shown = report(client)
    assert "Unfinished." in shown
    assert why in shown
    assert "The service was not stopped by this run." in shown


def test_a_cell_that_takes_too_long(lab: Lab, client: Path):
    running = start(client, "--cell-timeout", "15")
    running.communicate(timeout=300)
    assert running.returncode == 1
    assert cells(client) == ["completed", "failed", "pending"]
    assert "more than 15 s" in told(client)["why"]
    assert unrecorded(lab.target, client) == []


def test_after_all_that_it_comes_to_its_end(lab: Lab, client: Path):
    running = start(client)
    said = running.communicate(timeout=600)[0]
    assert running.returncode == 0, said
    assert cells(client) == ["completed"]
    assert told(client)["why"] == ""
    assert told(client)["open"] == []
    assert lab.target.must(RUNNING).split() == []
    report(client)


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
