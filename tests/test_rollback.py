"""The way back: what was begun is undone, the last first, and goes on where it was broken off."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from bmnb import report, rollback, seal
from bmnb import run as interpreter
from bmnb.cli import main
from bmnb.errors import ActionFailed, InputError, Stopped
from bmnb.journal import Journal, Line
from bmnb.run import Run
from bmnb.steps import Command, Manual, Phase, Procedure, Result, step
from tests.fakes import FakeSettings, World, settings
from tests.report import synthetic

PHASE = Phase("Phase", back="it is undone", price="nothing")


def undo_first(_: Any) -> Iterator[Any]:
    yield Command("a", "undo first", "undo")


def undo_third(_: Any) -> Iterator[Any]:
    yield Manual("a", rollback.CONFIRM, "the price", expect="b")
    yield Command("b", "undo third", "undo")


@step("First", PHASE, undo=undo_first)
def first(_: Any) -> Iterator[Any]:
    yield Command("a", "first", "first")


@step("Second", PHASE)
def second(_: Any) -> Iterator[Any]:
    yield Command("a", "second", "second")


@step("Third", PHASE, undo=undo_third)
def third(_: Any) -> Iterator[Any]:
    yield Command("b", "third", "third")


@step("Fourth", PHASE, undo=undo_first)
def fourth(_: Any) -> Iterator[Any]:
    yield Command("b", "fourth", "fourth")


PROCEDURE = Procedure("Fake", FakeSettings, (first, second, third, fourth))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(interpreter, "Servers", world.servers)
    return world


def begun(folder: Path, through: int, **answers: str) -> Run:
    """A run that has done its first steps, taken up again."""
    run = Run(PROCEDURE, settings(folder, answers=answers), show=lambda table: None)
    if not run.journal.lines:
        for one in PROCEDURE.steps[:through]:
            run(one)
    return run


def confirmed(folder: Path, through: int) -> Run:
    return begun(folder, through, **{rollback.CONFIRM: "b"})


def test_the_last_is_undone_first_and_only_what_was_begun(world: World, tmp_path: Path):
    rollback.roll_back(confirmed(tmp_path, 3))
    assert [line for _, line in world.effects[3:]] == ["undo third", "undo first"]


def test_the_price_must_be_accepted_first(world: World, tmp_path: Path):
    with pytest.raises(Stopped, match=r"the price \(a\): not answered"):
        rollback.roll_back(begun(tmp_path, 3))
    assert len(world.effects) == 3
    rollback.roll_back(confirmed(tmp_path, 3))
    assert world.count("undo third") == 1


def test_a_question_names_the_folder_and_the_option_that_answer_it(world: World, tmp_path: Path):
    run = begun(tmp_path, 3)
    with pytest.raises(Stopped, match=rf"→ bmnb rollback {run.folder} --confirm b") as stopped:
        rollback.roll_back(run)
    assert rollback.CONFIRM not in str(stopped.value), "a key is a client file's"
    assert "cell" not in str(stopped.value)


def test_what_it_would_do_is_listed_without_source(world: World, tmp_path: Path):
    assert list(rollback.listed(begun(tmp_path, 3))) == [
        "\nUndo: Third",
        "  a: the price",
        "  b: undo",
        "\nUndo: First",
        "  a: undo",
    ]


def test_a_way_back_that_has_undone_nothing_leaves_the_way_forward_open(world: World, tmp_path: Path):
    with pytest.raises(Stopped, match="Nothing has been undone yet: the run can still go on"):
        rollback.roll_back(begun(tmp_path, 3))
    run = begun(tmp_path, 3)
    run(fourth)
    assert world.count("fourth") == 1
    rollback.roll_back(confirmed(tmp_path, 4))
    assert [line for _, line in world.effects[4:]] == ["undo first", "undo third"]


def test_once_it_has_undone_something_there_is_only_the_way_back(world: World, tmp_path: Path):
    world.answers = {"undo first": [Result("a", "", 1), Result("a", "", 0)]}
    with pytest.raises(ActionFailed):
        rollback.roll_back(begun(tmp_path, 2))
    with pytest.raises(Stopped, match="is being rolled back"):
        begun(tmp_path, 2)(third)


def test_a_dry_run_of_the_way_back_tells_what_it_does_and_costs_and_begins_nothing(
    world: World, tmp_path: Path
):
    run = begun(tmp_path, 3)
    lines = len(run.journal.lines)
    assert rollback.price(run) == "it is undone. Price: nothing"
    assert [row["action"] for row in rollback.planned(run)] == ["the price", "undo", "undo"]
    assert len(run.journal.lines) == lines


def test_a_hint_names_the_run_s_folder_from_wherever_it_is_given(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    world.answers = {"undo first": [Result("a", "", 1)]}
    folder = tmp_path / "with space"
    folder.mkdir()
    monkeypatch.chdir(folder)
    run = Run(PROCEDURE, replace(settings(Path()), folder="."), show=lambda table: None)
    assert set(run.way_back()["how"]) == {"bmnb rollback RUN"}, "nothing was begun"
    run(first)
    assert set(run.way_back()["how"]) == {f"bmnb rollback '{folder}'"}
    with pytest.raises(ActionFailed):
        rollback.roll_back(run)
    with pytest.raises(Stopped, match=f"being rolled back: bmnb rollback '{folder}'"):
        run(second)


def test_what_is_rolled_back_neither_goes_on_nor_back_again(world: World, tmp_path: Path):
    run = begun(tmp_path, 2)
    rollback.roll_back(run)
    with pytest.raises(Stopped, match="is being rolled back"):
        run(third)
    with pytest.raises(Stopped, match="rolled back already"):
        rollback.roll_back(run)


def test_the_next_run_has_a_folder_of_its_own(world: World, tmp_path: Path):
    run = begun(tmp_path, 1)
    rollback.roll_back(run)
    assert begun(tmp_path, 1).folder.name == f"{run.folder.name}.2"
    assert begun(tmp_path, 1).folder.name == f"{run.folder.name}.2", "an unfinished run is taken up"


def test_a_procedure_that_cannot_be_undone_says_so(world: World, tmp_path: Path):
    run = Run(Procedure("Fake", FakeSettings, (second,)), settings(tmp_path), show=lambda table: None)
    with pytest.raises(InputError, match="no way back"):
        rollback.roll_back(run)


@pytest.mark.parametrize("stops", [False, True])
def test_the_command_leaves_a_report_of_the_way_back_and_all_of_it_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: bool
):
    folder = synthetic.run(tmp_path / "run", passes=1)
    report.write(folder)

    def roll_back(run: Run) -> None:
        run.journal.write("rollback started")
        run.journal.write("rolled back", seconds=1.0)
        if stops:
            raise Stopped("not yet")

    monkeypatch.setattr(rollback, "roll_back", roll_back)
    went = CliRunner().invoke(main, ["rollback", str(folder)])
    assert went.exit_code == (3 if stops else 0)
    assert list(seal.problems(folder)) == []
    assert seal.after_seal(folder) == 0


class Killed(BaseException):
    """The controller was killed."""


@property_settings(max_examples=40)
@given(places=st.lists(st.integers(1, 30), max_size=3, unique=True).map(sorted))
def test_killed_at_any_line_it_comes_to_the_same_end(places: list[int]):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patched:
        world = World()
        patched.setattr(interpreter, "Servers", world.servers)
        run, write = confirmed(Path(name), 3), Journal._append
        lines = len(run.journal.lines)

        def append(journal: Journal, line: Line) -> None:
            if line["number"] - lines in places:
                places.remove(line["number"] - lines)
                raise Killed
            write(journal, line)

        patched.setattr(Journal, "_append", append)
        while not run.journal.last("rolled back"):
            try:
                rollback.roll_back(run)
            except Killed:
                run = confirmed(Path(name), 3)
        assert world.count("undo third") == world.count("undo first") == 1


def test_a_run_after_whose_report_nothing_has_come_keeps_it_byte_for_byte(tmp_path: Path):
    """A signature on it holds on."""
    folder = synthetic.run(tmp_path / "run", passes=1)
    for event in ("rollback started", "rolled back"):
        Journal(folder / "journal.jsonl").write(event, seconds=1.0)
    report.write(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = CliRunner().invoke(main, ["rollback", str(folder)])
    assert again.exit_code == 3
    assert "rolled back already" in again.output
    assert {path: path.read_bytes() for path in before} == before
