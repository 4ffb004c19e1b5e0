"""A run's folder: its own notebook, its client file, and which values count."""

from datetime import date
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from bmnb.cli import main
from bmnb.errors import InputError
from bmnb.folders import home
from bmnb.journal import Journal
from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.run import begin
from bmnb.settings import in_force, read, write
from bmnb.start import furnish, new, page


def test_a_new_run_has_a_notebook_without_outputs_and_a_client_file(tmp_path: Path):
    folder = new(PROCEDURE, "Example Ltd", tmp_path)
    assert folder.name == f"{date.today()}-example-ltd-changing-distributions"
    book = nbformat.read(folder / "notebook.ipynb", 4)
    assert not [cell for cell in book.cells if cell.get("outputs")]
    assert 'folder: str = "."' in "".join(cell.source for cell in book.cells)
    assert read(folder / "client.yaml") == {"client": "Example Ltd", "language": "en"}


def test_the_cell_of_parameters_is_folded_up_in_a_runs_notebook_alone(tmp_path: Path):
    folder = new(PROCEDURE, "Example", tmp_path)
    book = nbformat.read(folder / "notebook.ipynb", 4)
    hidden = [cell for cell in book.cells if cell.metadata.get("jupyter", {}).get("source_hidden")]
    assert [cell.metadata["tags"] for cell in hidden] == [["parameters"]]


def test_a_run_in_french_has_french_prose_and_the_same_cells(tmp_path: Path):
    french, english = (
        nbformat.read(new(PROCEDURE, f"Client {language}", tmp_path, language) / "notebook.ipynb", 4).cells
        for language in ("fr", "en")
    )
    assert "## Synchronisation à chaud" in "".join(cell.source for cell in french)
    ours, theirs = (
        [
            cell.source
            for cell in cells
            if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
        ]
        for cells in (french, english)
    )
    assert ours == theirs


def test_a_clients_name_keeps_its_letters_without_accents(tmp_path: Path):
    assert "-societe-generale-" in new(PROCEDURE, "Société Générale", tmp_path).name


def test_the_index_lies_beside_the_runs_in_their_language(tmp_path: Path):
    book = nbformat.read(page("00-index", tmp_path, "fr"), 4)
    assert 'runs: str = "."' in book.cells[1].source
    assert 'language: str = "fr"' in book.cells[1].source
    assert "## Exécutions" in "".join(cell.source for cell in book.cells)


def test_a_client_has_one_unfinished_run(tmp_path: Path):
    folder = new(PROCEDURE, "Example", tmp_path)
    with pytest.raises(InputError, match="not finished"):
        new(PROCEDURE, "Example", tmp_path)
    Journal(folder / "journal.jsonl").write("rolled back")
    assert new(PROCEDURE, "Example", tmp_path).name == f"{folder.name}.2"


def test_a_run_that_papermill_began_gets_a_notebook_with_its_values(tmp_path: Path):
    begun = begin(PROCEDURE, {"client": "Example", "runs": str(tmp_path), "origin": "mail", "dry_run": False})
    begun.open()
    folder = new(PROCEDURE, "Example", tmp_path)
    assert folder == begun.folder
    taken_up = begin(PROCEDURE, {"folder": str(folder)}).settings
    assert (taken_up.origin, taken_up.dry_run) == ("mail", False)


def test_the_client_file_counts_over_defaults_and_the_notebooks_cell_over_both(tmp_path: Path):
    write(tmp_path / "client.yaml", {"origin": "a", "hot_passes": 3})
    cell = {"origin": "origsrv.domain.tld", "hot_passes": 2, "folder": str(tmp_path)}
    assert in_force(Settings, cell) == {"origin": "a", "hot_passes": 2, "folder": str(tmp_path)}


def test_a_notebook_works_in_its_own_folder_also_after_its_run_is_finished(tmp_path: Path):
    folder = new(PROCEDURE, "Example", tmp_path)
    Journal(folder / "journal.jsonl").write("finished")
    assert begin(PROCEDURE, {"folder": str(folder)}).folder == folder


def test_a_client_file_in_a_runs_folder_leads_there(tmp_path: Path):
    folder = tmp_path / "2026-01-31-example-changing-distributions"
    furnish(PROCEDURE, folder, {"client": "example"})
    assert home(folder / "client.yaml") == folder
    assert home(tmp_path / "client.yaml") is None


def test_the_command_says_where_the_notebook_is(tmp_path: Path):
    ended = CliRunner().invoke(
        main, ["new", "changing-distributions", "--client", "Example", "--runs", str(tmp_path)]
    )
    assert ended.exit_code == 0
    assert "notebook.ipynb" in ended.output
    assert (tmp_path / "00-index.ipynb").exists(), "what is under way is seen there"
    assert CliRunner().invoke(main, ["new", "changing-distributions", "--client", "…"]).exit_code == 2
