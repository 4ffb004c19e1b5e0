"""What was proven is proven anew before it is relied on; what no longer holds is done again, on record."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bmnb import run as interpreter
from bmnb.errors import ActionFailed, ConnectionFailed, Stopped
from bmnb.ledger import checklist_rows
from bmnb.procedures import ALL
from bmnb.procedures.checks import done
from bmnb.run import Run
from bmnb.steps import TRUE_OR_FALSE, Check, Command, Phase, Procedure, Result, singles, step
from tests.fakes import FakeServers, FakeSettings, World, settings

PHASE = Phase("Phase")


@step("Prepare", PHASE)
def prepare(_: Any) -> Iterator[Any]:
    yield Command("a", "prepare", "prepare")


@step("Stop", PHASE)
def stop(_: Any) -> Iterator[Any]:
    yield Command("a", "stop", "stop")


@step("Copy", PHASE)
def copy(_: Any) -> Iterator[Any]:
    yield Command("b", "copy", "copy", ensure=True)


@step("Switch", PHASE, once=True)
def switch(_: Any) -> Iterator[Any]:
    yield Check("a", "is it stopped", done, "it stays stopped", reopens="stop", answers=TRUE_OR_FALSE)
    yield Check("a", "is it copied", done, "it stays copied", reopens="copy", answers=TRUE_OR_FALSE)
    yield Command("a", "switch", "switch")


PROCEDURE = Procedure("Fake", FakeSettings, (prepare, stop, copy, switch))


def once_not(line: str, said: str) -> dict[str, list[Result]]:
    """The answers to a check that holds the second time."""
    return {line: [Result("a", line, 1, said), Result("a", line, 0)]}


def started() -> World:
    return World(answers=once_not("is it stopped", "it runs"))


def go(world: World, folder: Path) -> Run:
    """The same command again, from the beginning of the notebook to its end."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(interpreter, "Servers", world.servers)
        run = Run(PROCEDURE, settings(folder), show=lambda table: None)
        for one in PROCEDURE.steps:
            run(one)
        return run


def test_a_proof_that_no_longer_holds_stops_before_what_relies_on_it(tmp_path: Path):
    world = started()
    with pytest.raises(Stopped, match=r"it runs(.|\n)*goes back to “Stop”"):
        go(world, tmp_path)
    assert world.count("switch") == 0


def test_the_same_command_does_again_what_no_longer_counts_and_nothing_before(tmp_path: Path):
    world = started()
    with pytest.raises(Stopped):
        go(world, tmp_path)
    run = go(world, tmp_path)
    assert [line for _, line in world.effects] == ["prepare", "stop", "copy", "stop", "copy", "switch"]
    assert run.journal.last("finished")
    assert next(run.journal.events("reopened"))["steps"] == ["stop", "copy", "switch"]


def test_the_earliest_of_them_counts(tmp_path: Path):
    world = started()
    world.answers |= once_not("is it copied", "it differs")
    with pytest.raises(Stopped, match="goes back to “Stop”"):
        go(world, tmp_path)


def test_steps_that_are_to_be_done_again_are_planned(tmp_path: Path):
    world = World(answers=once_not("is it copied", "it differs"))
    with pytest.raises(Stopped):
        go(world, tmp_path)
    run = Run(PROCEDURE, settings(tmp_path), show=lambda table: None)
    assert [row["status"] for row in checklist_rows(PROCEDURE, run.journal)] == [
        *("done", "done"),
        *("planned", "planned"),
    ]


def test_a_step_after_a_reopened_one_waits_for_it(tmp_path: Path):
    world = started()
    with pytest.raises(Stopped):
        go(world, tmp_path)
    run = Run(PROCEDURE, settings(tmp_path), show=lambda table: None)
    with pytest.raises(Stopped, match="“Switch” comes after “Stop”, which is not done"):
        run(switch)


@pytest.mark.parametrize("procedure", ALL, ids=lambda one: one.name)
def test_what_is_reopened_is_an_earlier_step_or_the_step_itself(procedure: Procedure):
    names = [one.name for one in procedure.steps]
    for place, one in enumerate(procedure.steps):
        for action in singles(one.actions(procedure.settings())):
            if isinstance(action, Check) and action.reopens:
                assert action.reopens in names[: place + 1], action.title


def test_a_check_that_could_not_be_made_refutes_nothing(tmp_path: Path):
    world = World(answers=once_not("is it stopped", ""))
    world.answers["is it stopped"][0] = Result("a", "is it stopped", 2, "", "psql: no such socket")
    with pytest.raises(
        Stopped, match=r"could not be made: exit status 2 on a: psql: no such socket"
    ) as stopped:
        go(world, tmp_path)
    assert "nothing is known to be wrong" in str(stopped.value)
    assert "goes back" not in str(stopped.value)
    go(world, tmp_path)
    assert [line for _, line in world.effects] == ["prepare", "stop", "copy", "switch"]


@step("Let go", PHASE, once=True)
def let_go(_: Any) -> Iterator[Any]:
    yield Check("a", "is it stopped", done, "it stays stopped", reopens="stop")
    yield Command("a", "farewell", "take its address off", farewell=True)
    yield Check("b", "does a answer", done, "nobody answers")


class OutOfReach(FakeServers):
    """Server a can no longer be reached once it has no address."""

    def _connection(self, host: str) -> None:
        if host == "a" and self.world.count("farewell"):
            raise ConnectionFailed("a: no answer")

    def run(self, host: str, line: str, **more: Any) -> Result:
        self._connection(host)
        return super().run(host, line, **more)

    def take(self, host: str, *more: object) -> Result:
        self._connection(host)
        return super().take(host, *more)


def test_a_server_that_was_let_go_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    world = World(answers=once_not("does a answer", "somebody answers"))
    monkeypatch.setattr(interpreter, "Servers", lambda *_: OutOfReach(world))
    procedure = Procedure("Fake", FakeSettings, (stop, let_go))
    for _ in ("stopped", "gone on with"):
        run = Run(procedure, settings(tmp_path), show=lambda table: None)
        run(stop)
        with contextlib.suppress(Stopped, ActionFailed):
            run(let_go)
    assert run.journal.last("finished")
    assert world.count("farewell") == 1
