"""Whatever ends a run, and wherever: the same command again comes to the same end, and nothing is lost on record."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from bmnb import run as interpreter
from bmnb.errors import ActionFailed
from bmnb.journal import Journal, Line, encoded
from bmnb.perform import ATTEMPTS
from bmnb.run import Run
from bmnb.steps import Check, Command, Manual, Phase, Procedure, Result, Together, Verdict, step
from tests.fakes import FakeSettings, World, settings

FIRST, SECOND = Phase("First"), Phase("Second")


@step("Prepare", FIRST)
def prepare(_: Any) -> Iterator[Any]:
    yield Check("a", "look", lambda seen: Verdict(seen.ok, "seen"), "look")
    yield Command("a", "stop", "stop", ensure=True)


@step("Copy", FIRST, passes=attrgetter("passes"))
def copy(_: Any) -> Iterator[Any]:
    yield Command("b", "copy", "copy", again=(2,))
    yield Together((Command("b", "one", "one"), Command("b", "two", "two")))


@step("Switch", SECOND, once=True)
def switch(_: Any) -> Iterator[Any]:
    yield Manual("a", "sure", "the switch", expect="a")
    yield Command("a", "switch", "switch")


@step("Finish", SECOND)
def finish(_: Any) -> Iterator[Any]:
    yield Command("b", "finish", "finish")


PROCEDURE = Procedure("Fake", FakeSettings, (prepare, copy, switch, finish))
ONCE = ("one", "two", "switch", "finish")
"""Lines of which the interpreter must never make one more than was asked for."""


class Killed(BaseException):
    """The controller was killed."""


def go(world: World, folder: Path) -> Journal:
    """One run of the command, from the beginning of the notebook to its end."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(interpreter, "Servers", world.servers)
        patched.setattr(interpreter.Probe, "start", lambda probe: None)
        run = Run(PROCEDURE, settings(folder, answers={"sure": "a"}), show=lambda table: None)
        if run.journal.last("finished"):
            return run.journal
        for one in PROCEDURE.steps:
            run(one)
        return run.journal


def killed_at(number: int, world: World, folder: Path, share: float = 0.0) -> bool:
    """Run until the journal would get its line of this number; true if it was killed there.

    A share of the line may have been written by then.
    """
    write = Journal._append

    def append(journal: Journal, line: Line) -> None:
        if line["number"] == number:
            text = encoded(line) + b"\n"
            with journal.path.open("ab") as file:
                file.write(text[: int(share * len(text))])
            raise Killed
        write(journal, line)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Journal, "_append", append)
        try:
            go(world, folder)
        except Killed:
            return True
    return False


@property_settings(max_examples=40)
@given(
    places=st.lists(
        st.tuples(st.integers(1, 40), st.floats(0, 1, exclude_max=True)),
        max_size=4,
        unique_by=lambda one: one[0],
    ).map(sorted)
)
def test_any_prefix_of_a_journal_resumes_to_the_same_end(places: list[tuple[int, float]]):
    with tempfile.TemporaryDirectory() as name:
        world, folder = World(), Path(name)
        for place, share in places:
            killed_at(place, world, folder, share)
        journal = go(world, folder)
        assert journal.last("finished")
        passes = len(list(journal.events("step done"))) - len(PROCEDURE.steps) + 1
        assert passes == 2
        for line in ONCE:
            assert world.count(line) == (2 if line in ("one", "two") else 1), line


def test_a_copy_that_broke_off_is_started_again_and_each_start_is_on_record(tmp_path: Path):
    broken = Result("b", "copy", 2, stderr="Invalid packet at end of run")
    world = World(answers={"copy": [broken, broken, Result("b", "copy", 0)]})
    journal = go(world, tmp_path)
    assert world.count("copy") == 3 + 1
    failed = list(journal.events("failed", title="copy"))
    assert len(failed) == 2
    assert all("Invalid packet" in line["seen"] for line in failed)


def test_it_is_started_again_a_few_times_only(tmp_path: Path):
    world = World(answers={"copy": [Result("b", "copy", 2)]})
    with pytest.raises(ActionFailed, match="exit status 2"):
        go(world, tmp_path)
    assert world.count("copy") == ATTEMPTS


def test_what_may_not_be_started_again_fails_at_once(tmp_path: Path):
    world = World(answers={"finish": [Result("b", "finish", 2)]})
    with pytest.raises(ActionFailed):
        go(world, tmp_path)
    assert world.count("finish") == 1


def test_what_another_copy_of_the_run_has_started_is_no_result(tmp_path: Path):
    """Two laptops with one run: the unit of the one is not the other's, whatever its number."""
    world = World()
    killed_at(3, world, tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    go(world, tmp_path / "one")
    done = len(world.effects)
    go(world, tmp_path / "two")
    assert len(world.effects) == 2 * done
