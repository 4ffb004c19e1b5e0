"""The lock on a server, over a real sshd: one run, one session; others are refused."""

import os
import shutil
import time
from pathlib import Path

import pytest

from bmnb import lock as locks
from bmnb.errors import Stopped
from bmnb.journal import Journal
from bmnb.lock import Lock
from bmnb.remote import Servers
from tests.remote.test_servers import place, servers

assert place  # the fixture: an sshd on the loopback address


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def here(place: Path, work: Path):
    with servers(place):
        pass
    with Servers(place / "config", work=str(work)) as opened:
        yield opened


def lock(here: Servers, tmp_path: Path, run: str = "run-1") -> Lock:
    return Lock(here, Journal(tmp_path / run / "journal.jsonl"), run, f"title of {run}")


def of_folder(here: Servers, tmp_path: Path, run: str) -> Lock:
    """The lock of a run with a folder of its own on the server."""
    journal = Journal(tmp_path / run / "journal.jsonl")
    return Lock(here, journal, run, f"title of {run}", str(tmp_path / "work" / "client"))


def be(monkeypatch: pytest.MonkeyPatch, session: str) -> None:
    monkeypatch.setattr(locks, "session", lambda: session)


def test_a_lock_is_taken_kept_and_given_back(here: Servers, tmp_path: Path, work: Path):
    mine = lock(here, tmp_path)
    mine.take(["here"])
    mine.take(["here"])
    assert (work / "lock").read_text().splitlines()[:3] == ["run-1", locks.session(), "title of run-1"]
    mine.release()
    assert not (work / "lock").exists()
    assert [line["event"] for line in mine.journal.lines] == ["locked", "released"]


def test_a_session_that_leaves_lets_the_next_one_of_the_run_go_on_at_once(
    here: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    mine = lock(here, tmp_path)
    mine.take(["here"])
    mine.leave()
    with pytest.raises(Stopped, match="is held by another run: title of run-1, by nobody now"):
        lock(here, tmp_path, "run-2").take(["here"])
    be(monkeypatch, "colleague@laptop 7")
    lock(here, tmp_path).take(["here"])


def test_a_step_that_has_stopped_lets_the_next_session_go_on_at_once(
    here: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    mine = lock(here, tmp_path)
    mine.take(["here"])
    with pytest.raises(Stopped, match="interrupted"), mine:
        raise Stopped("interrupted")
    be(monkeypatch, "colleague@laptop 7")
    lock(here, tmp_path).take(["here"])


def test_another_run_is_refused_however_long_the_holder_is_silent(here: Servers, tmp_path: Path, work: Path):
    lock(here, tmp_path).take(["here"])
    os.utime(work / "lock", (0, 0))
    with pytest.raises(Stopped, match="is held by another run: title of run-1") as refused:
        lock(here, tmp_path, "run-2").take(["here"])
    assert refused.value.exit_code == 3
    assert "bmnb unlock RUN here" in str(refused.value)


def test_a_colleague_waits_for_the_last_sign_of_life_and_then_goes_on(
    here: Servers, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
):
    be(monkeypatch, "ann@laptop 1")
    lock(here, tmp_path).take(["here"])
    be(monkeypatch, "bob@desk 1")
    bobs = lock(here, tmp_path)
    with pytest.raises(Stopped, match="for this very run by ann@laptop 1"):
        bobs.take(["here"])
    os.utime(work / "lock", (0, 0))
    bobs.take(["here"])
    assert bobs.journal.last("locked")["after"] == "ann@laptop 1"


def test_a_sign_of_life_in_the_future_is_none(
    here: Servers, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
):
    """The server's clock was put back, and nobody has given one since."""
    be(monkeypatch, "ann@laptop 1")
    lock(here, tmp_path).take(["here"])
    ahead = time.time() + 3600
    os.utime(work / "lock", (ahead, ahead))
    be(monkeypatch, "bob@desk 1")
    lock(here, tmp_path).take(["here"])


def test_a_kernel_that_is_gone_from_this_machine_is_not_waited_for(
    here: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    me = locks.session()
    be(monkeypatch, f"{me.rpartition(' ')[0]} 4194305")  # beyond the largest process number
    lock(here, tmp_path).take(["here"])
    be(monkeypatch, me)
    lock(here, tmp_path).take(["here"])


def test_a_lock_that_was_broken_is_free(here: Servers, tmp_path: Path):
    lock(here, tmp_path).take(["here"])
    assert "title of run-1" in here.unlock("here")
    lock(here, tmp_path, "run-2").take(["here"])


def test_a_beat_is_a_sign_of_life_of_the_holder_alone(here: Servers, tmp_path: Path, work: Path):
    lock(here, tmp_path).take(["here"])
    os.utime(work / "lock", (0, 0))
    assert not here.beat("here", "somebody@else 1").ok
    assert (work / "lock").stat().st_mtime == 0
    assert here.beat("here", locks.session()).ok
    assert (work / "lock").stat().st_mtime > 0


def test_a_new_run_sets_aside_the_folder_that_another_run_has_left(here: Servers, tmp_path: Path, work: Path):
    first = of_folder(here, tmp_path, "run-1")
    first.take(["here"])
    (work / "client" / "kept").touch()
    first.release()
    second = of_folder(here, tmp_path, "run-2")
    second.take(["here"])
    assert not (work / "client" / "kept").exists()
    [aside] = work.glob("client-until-*")
    assert (aside / "kept").exists()
    assert second.journal.last("locked")["aside"] == str(aside)


def test_a_run_finds_its_folder_again(here: Servers, tmp_path: Path, work: Path):
    first = of_folder(here, tmp_path, "run-1")
    first.take(["here"])
    (work / "client" / "kept").touch()
    first.release()
    of_folder(here, tmp_path, "run-1").take(["here"])
    assert (work / "client" / "kept").exists()


def test_a_run_touches_no_folder_that_is_another_run_s_by_now(here: Servers, tmp_path: Path, work: Path):
    """As on a late way back: what it kept is not what lies there."""
    for run in ("run-1", "run-2"):
        one = of_folder(here, tmp_path, run)
        one.take(["here"])
        one.release()
    with pytest.raises(Stopped, match="client is another run's by now"):
        of_folder(here, tmp_path, "run-1").take(["here"])
    assert not (work / "lock").exists()


def test_a_folder_that_an_earlier_release_has_made_is_its_run_s(here: Servers, tmp_path: Path, work: Path):
    first = of_folder(here, tmp_path, "run-1")
    first.journal.write("locked", server="here", session="colleague@laptop 7")
    (work / "client").mkdir(parents=True)
    (work / "client" / "kept").touch()
    first.take(["here"])
    assert (work / "client" / "kept").exists()


def test_a_stale_copy_of_a_run_is_told_so_and_does_nothing(here: Servers, tmp_path: Path, work: Path):
    mine = lock(here, tmp_path)
    mine.take(["here"])
    started = mine.journal.write("started", action="stop/1")
    (work / "head").write_text(f"run-1 {started['number']} {started['sha256']}\n")
    mine.leave()
    lock(here, tmp_path).take(["here"])
    lock(here, tmp_path).leave()

    copy = Lock(here, Journal(tmp_path / "another laptop" / "journal.jsonl"), "run-1", "title of run-1")
    with pytest.raises(Stopped, match="another copy of this run has gone on there"):
        copy.take(["here"])
    lock(here, tmp_path).take(["here"])


def test_what_another_run_has_started_makes_no_copy_stale(here: Servers, tmp_path: Path, work: Path):
    work.mkdir()
    (work / "head").write_text(f"run-1 7 {'0' * 64}\n")
    lock(here, tmp_path, "run-2").take(["here"])


def with_something_done(here: Servers, tmp_path: Path, **facts: object) -> Lock:
    """The lock of a run whose command has ended on the server; its session has left."""
    mine = lock(here, tmp_path)
    mine.take(["here"])
    told = {"action": "stop/1", "kind": "command", "server": "here", "title": "stop services"}
    mine.journal.write("started", unit="run-1aa-stop-1", **told, **facts)
    (tmp_path / "work" / "units" / "run-1aa-stop-1").mkdir(parents=True)
    mine.journal.write("done", **told)
    mine.leave()
    return mine


@pytest.mark.parametrize("gone", ["the folder", "what a snapshot did not have yet"])
def test_a_server_that_was_put_back_to_how_it_was_before_is_not_gone_on_with(
    here: Servers, tmp_path: Path, work: Path, gone: str
):
    """Also in the session that has been open all the while."""
    mine = with_something_done(here, tmp_path)
    mine.take(["here"])
    shutil.rmtree(work if gone == "the folder" else work / "units")
    for one in (mine, lock(here, tmp_path)):
        with pytest.raises(Stopped, match="here has no trace of “stop services”, which was done there at"):
            one.take(["here"])
    journal = Journal(tmp_path / "run-1" / "journal.jsonl")
    journal.write("rollback started")
    lock(here, tmp_path).take(["here"])


@pytest.mark.parametrize("what", ["all is there", "a farewell, which nobody saw begin", "the run has ended"])
def test_a_server_that_was_not_put_back_is_gone_on_with(here: Servers, tmp_path: Path, work: Path, what: str):
    mine = with_something_done(here, tmp_path, **({"farewell": True} if "farewell" in what else {}))
    if what != "all is there":
        shutil.rmtree(work / "units")
    if what == "the run has ended":
        mine.journal.write("released", server="here")
    lock(here, tmp_path).take(["here"])


def test_the_end_of_a_run_takes_away_what_its_commands_have_left_and_no_other_s(
    here: Servers, tmp_path: Path, work: Path
):
    """What stays is the head, by which a stale copy of the run is known."""
    mine = lock(here, tmp_path)
    mine.take(["here"])
    for name in ("units/run-1aa-stop-1", "feeds/run-1aa-stop-2"):
        (work / name).mkdir(parents=True)
    (work / "head").write_text("run-1 7 sum\n")
    mine.release()
    assert sorted(path.name for path in work.iterdir()) == ["head", "lock.guard"]


def test_the_end_of_a_run_leaves_what_is_another_s(here: Servers, tmp_path: Path, work: Path):
    mine = lock(here, tmp_path)
    mine.take(["here"])
    for name in ("units/run-1aa-stop-1", "units/run-2aa-stop-1"):
        (work / name).mkdir(parents=True)
    mine.release()
    assert [path.name for path in (work / "units").iterdir()] == ["run-2aa-stop-1"]


def test_the_last_session_gives_back_what_an_earlier_one_has_taken(
    here: Servers, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
):
    first = lock(here, tmp_path)
    first.take(["here"])
    first.leave()
    be(monkeypatch, "colleague@laptop 7")
    lock(here, tmp_path).release()
    assert not (work / "lock").exists()


def test_a_lock_of_another_run_is_not_given_back(here: Servers, tmp_path: Path, work: Path):
    mine = lock(here, tmp_path)
    mine.take(["here"])
    here.unlock("here")
    lock(here, tmp_path, "run-2").take(["here"])
    lock(here, tmp_path).release()
    assert (work / "lock").read_text().splitlines()[0] == "run-2"
