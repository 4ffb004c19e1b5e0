"""A fleet on a scheduler with workers: by TLS, with every run once, whatever is killed."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from bmnb.errors import BmnbError, InputError
from bmnb.fleet import conduct
from bmnb.fleet.board import Board
from bmnb.fleet.engine import NO_SCHEDULER, Cluster, Engine
from bmnb.fleet.work import Job
from bmnb.lab.network import Bridge
from tests.fleet.cluster import certificates, machines
from tests.fleet.conductor import COMMAND, Played, entry
from tests.fleet.hosts import LOOPBACK, Host, hosts
from tests.fleet.test_conduct import LAST, until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes folders and networks of their own")


@pytest.fixture(autouse=True)
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server here holds a lock that must fall silent first."""
    monkeypatch.setattr(conduct, "LOST_SECONDS", 0.0)


def kill_when(process: subprocess.Popen[bytes], holds: Callable[[], object]) -> None:
    until(holds)
    process.kill()


def listening(pid: int) -> list[str]:
    """The addresses on which a process, or this one, waits for connections."""
    lines = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split()[3] for line in lines if f"pid={pid}," in line]


@as_root
def test_a_fleet_on_two_workers_in_a_network_over_tls(tmp_path: Path):
    tls = certificates(tmp_path / "tls")
    with (
        Bridge.free() as network,
        hosts(("scheduler", "worker-1", "worker-2"), network) as apart,
        machines(tmp_path, tls=tls, hosts=apart) as up,
    ):
        assert up.address.startswith(f"tls://{network.address(101)}:")
        played = Played(tmp_path, *[entry(f"c{number}", "0.2") for number in range(6)])
        assert played.run(at_once=4, cluster=up.cluster) == 0
        assert {one.machine.split("-")[0] for one in played.store.clients()} == {"worker"}
        with pytest.raises(BmnbError, match="cannot be reached"):
            Engine(1, Cluster(up.address, *certificates(tmp_path / "others").values()), played.store.folder)
    assert all(len(played.world(f"c{number}")) == 2 for number in range(6))


def test_a_worker_is_killed_and_its_run_is_taken_up_by_another(tmp_path: Path):
    with machines(tmp_path) as up:
        played = Played(tmp_path, entry("a", "3"), entry("b", "3"))
        codes: list[int] = []
        command = threading.Thread(target=lambda: codes.append(played.run(cluster=up.cluster)))
        command.start()
        until(lambda: played.store.exists and len(played.states) == 2 and all(map(played.world, "ab")))
        up.workers[0].send_signal(signal.SIGKILL)
        command.join(60)
    lost = [line for line in played.lines if ": lost: " in line]
    assert (codes, len(lost)) == ([0], 1)
    assert "its worker tls://127.0.0.1" in lost[0]
    # the run itself outlived its worker, was awaited, and found done
    other = {"a": "b", "b": "a"}[lost[0][0]]
    assert played.world(lost[0][0]) == [f"began {LAST}", f"done {LAST}"] * 2
    assert played.world(other) == [f"began {LAST}", f"done {LAST}"]


@as_root
def test_runs_of_machines_that_share_no_folder_stay_there_until_they_are_collected(tmp_path: Path):
    played = Played(tmp_path, *[entry(f"c{number}", "0.2") for number in range(4)])
    played.store.make()
    apart = [LOOPBACK, *[own_folder(name, played.store.runs) for name in ("near", "far")]]
    with machines(tmp_path, hosts=apart) as up:
        assert played.run(cluster=up.cluster) == 0
        assert {one.machine for one in played.store.clients()} == {"near", "far"}
        assert played.world("c0") == []
        assert "was not collected yet" in Board(played.store.runs).rows()[0]["why"]
        for worker in up.workers:
            there = f"/proc/{worker.pid}/root{played.store.runs}/"
            subprocess.run(["rsync", "-a", there, f"{played.store.runs}/", "--exclude", "fleet"], check=True)
    assert [played.world(f"c{number}") for number in range(4)] == [[f"began {LAST}", f"done {LAST}"]] * 4


@as_root
def test_a_run_on_a_machine_of_its_own_is_stopped_there(tmp_path: Path):
    played = Played(tmp_path, entry("a", "60"))
    played.store.make()
    with machines(tmp_path, workers=1, hosts=[LOOPBACK, own_folder("far", played.store.runs)]) as up:
        world = Path(f"/proc/{up.workers[0].pid}/root{played.store.runs}")
        codes: list[int] = []
        command = threading.Thread(target=lambda: codes.append(played.run(cluster=up.cluster)))
        command.start()
        until(lambda: list(world.glob("*-a-*/world")))
        played.store.change("a", stop=1)
        command.join(30)
        (left,) = world.glob("*-a-*/world")
        assert left.read_text() == f"began {LAST}\ninterrupted {LAST}\n"
    assert (codes, played.states) == ([3], {"a": "stopped"})


def own_folder(name: str, folder: Path) -> Host:
    """A machine with a name and this folder of its own."""
    script = 'hostname "$0"; mount -t tmpfs none "$1"; shift; exec "$@"'
    enter = ("unshare", "--uts", "--mount", "sh", "-c", script, name, str(folder))
    return Host(LOOPBACK.address, enter)


def test_what_a_worker_logs_names_no_value_of_a_client():
    job = Job("a", "p", {"origin": "mail.first.example"}, "x", "/runs/fleet")
    assert "mail.first.example" not in repr(job)


def test_the_scheduler_is_killed_and_the_same_command_goes_on(tmp_path: Path):
    with machines(tmp_path) as up:
        played = Played(tmp_path, entry("a", "6"), entry("b"))
        killing = threading.Thread(target=kill_when, args=(up.scheduler, lambda: played.world("a")))
        played.store.make()
        killing.start()
        with pytest.raises(BmnbError, match="the scheduler is gone"):
            played.run(cluster=up.cluster)
        assert played.states["a"] == "started"
    with machines(tmp_path) as again:
        assert played.run(cluster=again.cluster) == 0
    assert played.world("a") == [f"began {LAST}", f"done {LAST}"] * 2


def test_the_scheduler_is_killed_between_a_runs_end_and_its_outcome(tmp_path: Path):
    """As no one knows then how the run ended, it counts as lost, and its journal tells when it is taken up."""
    place, folder = tmp_path / "fleet", tmp_path / "runs" / "a"
    place.mkdir()
    with machines(tmp_path, workers=1) as up:
        engine = Engine(1, up.cluster, place)
        try:
            engine.submit(Job("a", "p", {"folder": str(folder)}, LAST, str(place), COMMAND))
            engine.wait(60)
            up.scheduler.kill()
            up.scheduler.wait()
            assert list(engine.ended()) == [("a", NO_SCHEDULER)]
        finally:
            engine.close()
    assert (folder / "world").read_text().splitlines() == [f"began {LAST}", f"done {LAST}"]


def test_a_scheduler_that_would_run_things_again_is_refused(tmp_path: Path):
    with (
        machines(tmp_path, workers=1, rules={}) as up,
        pytest.raises(InputError, match="ALLOWED_FAILURES=0"),
    ):
        Played(tmp_path, entry("a")).run(cluster=up.cluster)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("10.0.0.5", "expected an address like"),
        ("tcp://10.0.0.5:8786", "only tls:// is used"),
        ("tcp://127.0.0.1:8786", "only tls:// is used, on this machine too"),
        ("tcp://localhost:8786", "only tls:// is used, on this machine too"),
        ("tcp://[::1]:8786", "only tls:// is used, on this machine too"),
        ("127.0.0.1:8786", "expected an address like tls://"),
        ("ucx://127.0.0.1:8786", "expected an address like tls://"),
        ("tls://10.0.0.5:8786", "needs --tls-ca"),
    ],
)
def test_an_address_that_must_not_be_used_is_refused(tmp_path: Path, address: str, text: str):
    with pytest.raises(InputError, match=text):
        Engine(1, Cluster(address), tmp_path)


@pytest.fixture
def opened_ports(tmp_path: Path) -> Iterator[list[str]]:
    """The addresses on which an engine of this machine alone waits for connections."""
    before = listening(os.getpid())
    engine = Engine(2, Cluster(), tmp_path)
    try:
        time.sleep(0.2)
        yield [one for one in listening(os.getpid()) if one not in before]
    finally:
        engine.close()


def test_on_one_machine_nothing_listens_but_on_the_loopback_address(opened_ports: list[str]):
    assert {one.rsplit(":", 1)[0] for one in opened_ports} <= {"127.0.0.1"}


@pytest.mark.parametrize("page", ["/", "/info/main/workers.html", "/json/counts.json", "/health", "/metrics"])
def test_on_one_machine_what_listens_takes_no_work_and_tells_nothing(opened_ports: list[str], page: str):
    for one in opened_ports:
        assert requests.get(f"http://{one}{page}", timeout=5).status_code == 404
