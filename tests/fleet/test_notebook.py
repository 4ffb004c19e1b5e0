"""The fleet's notebook speaks the language of who looks at it, and shows the fleet beside it."""

from pathlib import Path

import nbformat
import papermill
import pytest
from click.testing import CliRunner

from bmnb.cli import main
from bmnb.fleet.board import Board
from bmnb.fleet.notebook import TEMPLATE, View
from bmnb.language import use
from bmnb.prose import texts
from bmnb.settings import parameters_cell
from tests.fleet.conductor import Played, entry


def code(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def test_the_template_has_the_parameters_of_the_view():
    assert code(TEMPLATE)[0] == parameters_cell(View)


def test_in_french_it_shows_the_fleet_beside_it(tmp_path: Path):
    played = Played(tmp_path, entry("a"), entry("b", "0 3"))
    assert played.run() == 3
    words = ["fleet", "status", "--runs", str(played.store.runs), "--notebook", "--lang", "fr"]
    assert CliRunner().invoke(main, words).exit_code == 0
    path = played.store.folder / "notebook.ipynb"
    english = set(texts(nbformat.read(TEMPLATE, 4))) - {"## Clients"}
    assert english.isdisjoint(texts(nbformat.read(path, 4)))
    assert code(path)[1:] == code(TEMPLATE)[1:]
    papermill.execute_notebook(str(path), str(path), cwd=str(path.parent), progress_bar=False)
    shown = str([cell.get("outputs") for cell in nbformat.read(path, 4).cells])
    assert all(word in shown for word in ("en attente", "pourquoi", "fait"))


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("its window opens at 2026-01-31 22:00", "son créneau s’ouvre à 2026-01-31 22:00"),
        ("its worker tls://10.0.0.6:1 is gone; is taken up again at 22:05", "a disparu ; reprise à 22:05"),
    ],
)
def test_a_reason_of_the_fleet_s_own_is_told_in_french(tmp_path: Path, why: str, words: str):
    played = Played(tmp_path, entry("a"))
    assert played.run() == 0
    played.store.change("a", why=why)
    with use("fr"):
        assert words in Board(played.store.runs, "fr").rows()[0]["why"]
