"""What people do with a notebook that nobody has foreseen: no dead end, and nothing is done twice or out of its order.

Others are where their part is: a kernel that was started anew (test_opened), another value under a step (test_frozen),
swapped servers (test_swapped), a run that is done already (test_headless), a wrong name, a closed tab, a colleague, an
interrupt (browser).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from bmnb import run as interpreter
from bmnb.errors import Stopped
from bmnb.folders import NOTEBOOK
from bmnb.procedures.changing_distributions import PROCEDURE as MIGRATION
from bmnb.run import Run, begin
from bmnb.start import new
from bmnb.steps import Command, Phase, Procedure, step
from tests.fakes import FakeSettings, World, settings

PHASE = Phase("Phase")


@step("First", PHASE)
def first(_: Any) -> Iterator[Any]:
    yield Command("a", "first", "first")


@step("Second", PHASE, once=True)
def second(_: Any) -> Iterator[Any]:
    yield Command("a", "second", "second")


PROCEDURE = Procedure("Fake", FakeSettings, (first, second))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    there = World()
    monkeypatch.setattr(interpreter, "Servers", there.servers)
    return there


def opened(folder: Path) -> Run:
    return Run(PROCEDURE, settings(folder), show=lambda table: None)


def test_cells_out_of_order_name_the_one_that_comes_first(world: World, tmp_path: Path):
    run = opened(tmp_path)
    with pytest.raises(Stopped, match="“Second” comes after “First”, which is not done: run that cell first"):
        run(second)
    assert world.effects == []
    run(first)
    run(second)
    assert [line for _, line in world.effects] == ["first", "second"]


def test_a_cell_that_is_run_again_shows_what_was_done_and_does_nothing(world: World, tmp_path: Path):
    run = opened(tmp_path)
    shown = [run(first).to_string() for _ in range(3)]
    assert len(set(shown)) == 1
    assert world.count("first") == 1


def test_the_cells_from_the_top_once_more_go_on_where_the_run_stood(world: World, tmp_path: Path):
    opened(tmp_path)(first)
    again = opened(tmp_path)
    again(first)
    again(second)
    assert [line for _, line in world.effects] == ["first", "second"]


def test_an_earlier_cell_after_the_end_of_the_run_does_nothing(world: World, tmp_path: Path):
    run = opened(tmp_path)
    run(first)
    run(second)
    assert run.journal.last("finished")
    before = len(run.journal.lines)
    run(first)
    assert world.count("first") == 1
    assert len(run.journal.lines) == before


def test_begin_that_is_run_twice_has_one_run_open(tmp_path: Path):
    values = {"folder": str(tmp_path), "origin": "old", "target": "new", "dry_run": False}
    before = begin(MIGRATION, values)
    closed: list[bool] = []
    before.close = lambda: closed.append(True)  # type: ignore[method-assign]
    begin(MIGRATION, {**values, "run": before})
    assert closed == [True]


def test_run_all_of_a_new_notebook_is_its_plan_and_reaches_no_server(tmp_path: Path):
    folder = new(MIGRATION, "Example", tmp_path)
    book = nbformat.read(folder / NOTEBOOK, 4)
    NotebookClient(book, kernel_name="python3").execute(cwd=str(folder))
    assert not (folder / "journal.jsonl").exists()
    said = book.cells[-1].outputs[-1]["data"]["text/markdown"]
    assert "Once the run is begun" in said
