"""Each way of dying on real servers: exit status, notebook, journal, status and report tell the same story.

Each time the same command takes the run up again, and nothing runs on the servers that the journal does not know.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from bmnb import report, seal, status
from bmnb.lab import Lab
from tests.lab.migration import client_file, finish, journal, kill_all, start

pytestmark = pytest.mark.lab
PHASE = "hot-synchronization"
USERS = "bmnb-writer.service"
"""The client's users at work, whom the lab plays."""
RUNNING = "systemctl list-units --plain --no-legend --state=running 'bmnb-*' | awk '{print $1}'"

Process = subprocess.Popen[str]


@pytest.fixture(scope="module")
def client(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each death costs a few actions only, so that the passes are more than enough."""
    return client_file(lab, tmp_path_factory.mktemp("dying") / "runs", hot_passes=4, through=PHASE)


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


def cells(client: Path) -> list[str]:
    """The status of the code cells, each once, in their order."""
    book = nbformat.read(folder(client) / "notebook.ipynb", 4)
    return list(dict.fromkeys(one.metadata.papermill.status for one in book.cells if one.cell_type == "code"))


def unrecorded(lab: Lab, client: Path) -> list[str]:
    """What runs on a server though the journal does not know that it was started."""
    known = {f"bmnb-{line['unit']}.service" for line in journal(client.parent) if "unit" in line} | {USERS}
    return [
        unit
        for server in (lab.origin, lab.target)
        for unit in server.must(RUNNING).split()
        if unit not in known
    ]


@dataclass(frozen=True)
class Death:
    """How a run dies, its exit status, how the cell stands in the notebook, the run's state, a word of the reason."""

    die: Callable[[Process], object]
    status: int
    cell: str
    state: str
    why: str


DEATHS = {
    "kernel killed": Death(
        lambda running: os.kill(kernel(running), signal.SIGKILL), 1, "failed", "stopped", "kernel died"
    ),
    "Ctrl-C": Death(
        lambda running: running.send_signal(signal.SIGINT), 3, "failed", "stopped", "interrupted"
    ),
    "SIGTERM": Death(lambda running: running.terminate(), 3, "failed", "stopped", "SIGTERM"),
    "SIGKILL": Death(lambda running: running.kill(), -9, "running", "open", ""),
    "controller lost its power": Death(kill_all, -9, "running", "open", ""),
}


def the_same_story(lab: Lab, client: Path, death: Death) -> None:
    """Notebook, journal, status and report tell what happened; what runs on the servers is on record."""
    assert cells(client) == ["completed", death.cell, "pending"]
    last = [line for line in journal(client.parent) if line["event"] != "sealed"][-1]
    assert (last["event"] == "stopped") == bool(death.why)
    state = status.of(folder(client))
    assert (state["state"], death.why in state["why"]) == (death.state, True)
    assert unrecorded(lab, client) == []
    shown = report.write(folder(client)).read_text()
    for text in ("Unfinished.", death.why, "The service was not stopped by this run."):
        assert text in shown
    assert list(seal.problems(folder(client))) == []


def test_a_cell_that_takes_too_long(lab: Lab, client: Path):
    running = start(client, "--cell-timeout", "15")
    running.communicate(timeout=300)
    assert running.returncode == 1
    the_same_story(lab, client, Death(lambda _: None, 1, "failed", "stopped", "more than 15 s"))


@pytest.mark.parametrize("how", DEATHS)
def test_all_tell_the_same_true_story(lab: Lab, client: Path, how: str):
    death = DEATHS[how]
    running = under_way(client)
    child = Path(f"/proc/{kernel(running)}")
    death.die(running)
    running.communicate(timeout=300)
    assert running.returncode == death.status
    wait_until(lambda: not child.exists())
    the_same_story(lab, client, death)
    if how == "Ctrl-C":
        assert lab.target.must(RUNNING).split() == []


def test_after_all_that_it_comes_to_its_end(lab: Lab, client: Path):
    code, said = finish(client)
    assert code == 0, said
    assert cells(client) == ["completed"]
    state = status.of(folder(client))
    assert (state["why"], state["open"]) == ("", [])
    assert lab.target.must(RUNNING).split() == []
    assert list(seal.problems(folder(client))) == []


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
