"""A fleet: each client once, side by side, apart from each other, and all of it known after any end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bmnb.errors import BmnbError
from bmnb.fleet import inventory, work
from tests.fleet.conductor import COMMAND, Played, entry

LAST = "post-migration"


def test_every_client_is_run_and_the_next_command_repeats_nothing(tmp_path: Path):
    played = Played(tmp_path, *[entry(f"c{number}") for number in range(5)])
    assert played.run() == 0
    assert set(played.states.values()) == {"done"}
    assert played.run() == 0
    assert [played.world(f"c{number}") for number in range(5)] == [[f"began {LAST}", f"done {LAST}"]] * 5


def test_trouble_of_one_is_not_trouble_of_the_others(tmp_path: Path):
    played = Played(tmp_path, entry("a", "0 1"), entry("b", "0 3"), entry("c", "0 2"), entry("d"))
    assert played.run() == 1
    assert played.states == {"a": "failed", "b": "waiting", "c": "failed", "d": "done"}
    assert played.client("b").why == f"Stopped: {LAST} cannot be done"
    assert ("trouble", "b") in played.notices
    assert ("end", "d") in played.notices
    for name in "ac":
        (Path(played.client(name).folder) / "mended").touch()
    assert played.run() == 3
    assert played.states == {"a": "done", "b": "waiting", "c": "done", "d": "done"}
    assert len(played.world("d")) == 2


def test_the_days_before_then_the_rest(tmp_path: Path):
    played = Played(tmp_path, entry("a"))
    assert played.run(through="hot-synchronization") == 0
    assert played.run() == 0
    assert [line for line in played.world("a") if "done" in line] == [
        "done hot-synchronization",
        f"done {LAST}",
    ]


def test_every_night_makes_one_more_pass_until_the_service_is_stopped(tmp_path: Path):
    played = Played(tmp_path, entry("a"), entry("b"))
    for night in (1, 2, 3):
        assert played.run(through="hot-synchronization", again=True) == 0
        assert played.world("a").count("done hot-synchronization, again") == night
        assert played.states == {"a": "done", "b": "done"}
    assert played.run() == 0
    moved = played.world("a")
    assert played.run(through="hot-synchronization", again=True) == 0
    assert played.world("a") == moved


def test_so_many_at_once_and_no_more(tmp_path: Path):
    played = Played(tmp_path, *[entry(f"c{number}", "0.3") for number in range(6)])
    most = []
    played.tell = lambda line: most.append(list(played.states.values()).count("started"))
    assert played.run(at_once=3) == 0
    assert max(most) == 3


def test_one_of_a_group_at_once(tmp_path: Path):
    group = {"at_once": 1, "clients": [entry(f"g{number}", "0.2") for number in range(3)]}
    played = Played(tmp_path, entry("a", "0.2"), groups={"line": group})
    seen = []
    played.tell = lambda line: seen.append(
        [state for name, state in played.states.items() if name[0] == "g"].count("started")
    )
    assert played.run(at_once=4) == 0
    assert max(seen) == 1


def test_the_order_that_was_asked_for(tmp_path: Path):
    played = Played(
        tmp_path, entry("a", after="c"), entry("b", "0 1"), entry("c", priority=1), entry("d", after="b")
    )
    assert played.run(at_once=1) == 1
    assert [line for line in played.lines if "started" in line] == [
        f"{name}: started, through {LAST}" for name in "cab"
    ]
    assert (played.states["d"], played.client("d").why) == ("planned", "comes after b (failed)")


def minutes(number: float) -> str:
    return (datetime.now().astimezone() + timedelta(minutes=number)).isoformat()


def test_windows(tmp_path: Path):
    played = Played(
        tmp_path,
        entry("over", not_before=minutes(-20), not_after=minutes(-10)),
        entry("short", not_after=minutes(10), downtime=30),
        entry("open", not_before=minutes(-1), not_after=minutes(10), downtime=5),
        entry("soon", not_before=minutes(0.05)),
    )
    assert played.run() == 3
    assert played.states == {"over": "missed", "short": "missed", "open": "done", "soon": "done"}
    assert "its window closed at" in played.client("over").why
    assert "no longer fits: it takes 30 min" in played.client("short").why
    assert played.world("over") == played.world("short") == []


def test_a_window_holds_only_where_users_are_cut_off(tmp_path: Path):
    played = Played(tmp_path, entry("a", not_before=minutes(600), not_after=minutes(700)))
    assert played.run(through="hot-synchronization") == 0


def test_a_window_that_closes_ends_the_run_after_its_phase(tmp_path: Path):
    played = Played(tmp_path, entry("a", "3", not_after=minutes(0.1)))
    assert played.run() == 3
    assert played.world("a")[-1] == "done hot-synchronization"
    assert played.states == {"a": "missed"}
    assert "what comes next: switching-servers" in played.client("a").why


def test_once_users_are_cut_off_it_goes_on_until_the_service_answers(tmp_path: Path):
    played = Played(tmp_path, entry("a", "0.1", not_after=minutes(10)))
    assert played.run() == 0
    assert [line for line in played.world("a") if "began" in line] == [
        f"began {leg}" for leg in ("prerequisites", "hot-synchronization", "switching-servers", LAST)
    ]


def until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.05)


def test_one_run_is_stopped_in_order_and_all_are(tmp_path: Path):
    played = Played(tmp_path, entry("a", "60"), entry("b", "60"), entry("c"))
    codes: list[int] = []
    command = threading.Thread(target=lambda: codes.append(played.run()))
    command.start()
    until(lambda: played.store.exists and played.states.get("b") == "started" and played.world("b"))
    played.store.change("a", stop=1)
    until(lambda: played.states == {"a": "stopped", "b": "started", "c": "done"})
    played.ending.set()
    command.join(20)
    assert (codes, played.states) == ([3], {"a": "stopped", "b": "stopped", "c": "done"})
    assert played.world("a") == [f"began {LAST}", f"interrupted {LAST}"]


def test_a_fleet_that_was_killed_goes_on_and_repeats_nothing(tmp_path: Path):
    played = Played(tmp_path, entry("a", "0"), entry("b", "4"), entry("c", "0"))
    script = tmp_path / "fleet.py"
    script.write_text(
        "from pathlib import Path\nfrom tests.fleet.conductor import Played, entry\n"
        f"Played(Path({str(tmp_path)!r}), entry('a', '0'), entry('b', '4'), entry('c', '0')).run(at_once=1)\n"
    )
    killed = subprocess.Popen([sys.executable, str(script)], cwd=Path(__file__).parents[2])
    until(lambda: played.store.exists and "b" in played.states and played.world("b"))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert played.states == {"a": "done", "b": "started", "c": "planned"}
    assert played.run(at_once=1) == 0
    assert played.world("a") == [f"began {LAST}", f"done {LAST}"]
    # the run outlived its fleet and was awaited; the second command found it done
    assert played.world("b") == [f"began {LAST}", f"done {LAST}"] * 2
    assert played.lines[0] == f"b: started, through {LAST}"


def test_a_run_that_outlived_its_fleet_can_be_stopped(tmp_path: Path):
    place = tmp_path / "fleet"
    job = work.Job("a", "p", {"folder": str(tmp_path), "answers": {"fake": "60"}}, "x", str(place), COMMAND)
    running = threading.Thread(target=work.work, args=(job,))
    running.start()
    until(lambda: (tmp_path / "world").exists())
    assert work.interrupt(place, "a")
    running.join(10)
    assert (tmp_path / "world").read_text() == "began x\ninterrupted x\n"
    assert not work.interrupt(place, "a")


def test_a_run_sees_no_secret_of_another_client():
    here = {
        "PATH": "/bin",
        "HOME": "/root",
        "CLIENT_B_PASSWORD": "x",
        "SSH_AUTH_SOCK": "/agent",
        "LC_ALL": "C",
    }
    assert "CLIENT_B_PASSWORD" not in work.environment(here)
    assert work.environment(here).keys() == {*here, "PYTHONUNBUFFERED"} - {"CLIENT_B_PASSWORD"}


def test_each_of_two_hundred_runs_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # that no two of them share a server takes an ssh a server, and is tested in test_inventory.py
    monkeypatch.setattr(inventory, "conflicts", lambda procedure, members: [])
    names = [f"c{number:03}" for number in range(200)]
    played = Played(tmp_path, *[entry(name) for name in names])
    assert played.run(at_once=8) == 0
    assert [one.state for one in played.store.clients()] == ["done"] * 200
    assert played.world("c000")
    assert [played.world(name) for name in names] == [played.world("c000")] * 200


def fill_when(disk: Path, holds: Callable[[], object]) -> None:
    until(lambda: any(disk.glob("*-b-*/world")) and holds())
    with suppress(OSError), (disk / "filled").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_ends_the_fleet_and_not_what_it_knows(tmp_path: Path):
    disk = tmp_path / "runs"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)], check=True)
    try:
        played = Played(tmp_path, entry("a"), entry("b", "1"), entry("c"))
        filling = threading.Thread(target=fill_when, args=(disk, lambda: played.world("b")))
        played.store.make()
        filling.start()
        with pytest.raises(BmnbError, match="full"):
            played.run(at_once=1)
        filling.join()
        (disk / "filled").unlink()
        assert played.run(at_once=1) == 0
        assert played.world("a") == [f"began {LAST}", f"done {LAST}"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
