"""Exit statuses by the name of what stopped the notebook, and one line of progress for each line of the journal."""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from bmnb.errors import InputError
from bmnb.headless import exit_code, headline, run
from bmnb.journal import Journal
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.run import Run
from bmnb.settings import read
from tests.report import synthetic


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ActionFailed", 1),
        ("KernelDied", 1),
        ("TimedOut", 1),
        ("ZeroDivisionError", 1),
        ("InputError", 2),
        ("Stopped", 3),
        ("Interrupted", 3),
    ],
)
def test_what_stopped_the_notebook_gives_the_exit_status(name: str, code: int):
    assert exit_code(name) == code


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"event": "step started", "title": "Stop services"}, "20:00:00 == Stop services"),
        (
            {"event": "done", "title": "stop BlueMind", "server": "origin", "seconds": 2.5, "seen": ""},
            "20:00:00    done    stop BlueMind (origin) 2.5 s",
        ),
        ({"event": "sealed"}, ""),
    ],
)
def test_a_line_of_the_journal_is_one_line_of_progress(line: dict[str, object], told: str):
    assert headline({"time": "2026-01-31T20:00:00.000+00:00", **line}) == told


def test_wrong_parameters_are_refused_before_anything_is_made(tmp_path: Path):
    values = {"client": "Dupont", "runs": str(tmp_path / "runs"), "adress": "192.0.2.1"}
    with pytest.raises(InputError, match="did you mean 'address'"):
        run(PROCEDURE, values, "client.yaml", print)
    assert not (tmp_path / "runs").exists()


def test_what_counted_for_one_time_is_not_left_for_who_goes_on_in_the_notebook(tmp_path: Path):
    values = {"client": "Dupont", "runs": str(tmp_path), "origin": "mail"}
    code, folder = run(PROCEDURE, values, "client.yaml", print, through="prerequisites")
    assert code == 0
    cells = nbformat.read(folder / "notebook.ipynb", 4).cells
    assert not [cell for cell in cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert read(folder / "client.yaml") == {"client": "Dupont", "origin": "mail"}


def test_a_run_that_is_at_its_end_is_done_already_and_left_as_it_is(tmp_path: Path):
    folder = synthetic.run(tmp_path / "run", files=10)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    values = {**Journal(folder / "journal.jsonl").last("opened")["settings"], "folder": str(folder)}
    told: list[str] = []
    assert run(PROCEDURE, values, "client.yaml", told.append) == (0, folder)
    [said] = told
    assert said.startswith("This run is done already, since 2")
    assert "nothing was done" in said
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_so_it_is_cell_by_cell(tmp_path: Path):
    folder = synthetic.run(tmp_path / "run", files=10)
    written = (folder / "journal.jsonl").read_bytes()
    shown: list[Any] = []
    values = {**Journal(folder / "journal.jsonl").last("opened")["settings"], "folder": str(folder)}
    again = Run(PROCEDURE, PROCEDURE.settings(**{**values, "dry_run": False}), show=shown.append)
    for step in PROCEDURE.steps:
        again(step)
    assert sum("nothing was done" in getattr(one, "data", "") for one in shown) == 1
    assert (folder / "journal.jsonl").read_bytes() == written
