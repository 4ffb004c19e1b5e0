"""A cell where no run is open says what comes first; no cell is taken for a command of IPython's."""

import copy
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient

from bmnb import opened, procedures
from bmnb.errors import InputError, Stopped
from bmnb.language import use
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.run import begin
from bmnb.start import template
from bmnb.steps import Procedure


def cells(procedure: Procedure) -> list[nbformat.NotebookNode]:
    """The cells of code that need a run, or open one."""
    book = nbformat.read(template(procedure), 4)
    return [
        copy.deepcopy(cell)
        for cell in book.cells
        if cell.cell_type == "code" and not ("client: str" in cell.source or "import form" in cell.source)
    ]


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda one: one.name)
def test_after_a_restart_every_cell_says_which_come_first(procedure: Procedure, tmp_path: Path):
    book = nbformat.v4.new_notebook(cells=cells(procedure))
    NotebookClient(book, allow_errors=True, kernel_name="python3").execute(cwd=str(tmp_path))
    for cell in book.cells:
        [said] = [one for one in cell.outputs if one.output_type == "error"]
        assert said.ename == "Stopped", cell.source
        assert "`client: str`" in said.evalue
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda one: one.name)
def test_no_name_of_a_cell_is_a_command_of_ipython(procedure: Procedure):
    shell = InteractiveShell()
    called = {cell.source.splitlines()[-1].split("(")[0].split(".")[0] for cell in cells(procedure)}
    assert "runbook" in called
    assert [name for name in called if shell.find_line_magic(name)] == []


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(opened, "_now", {})
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("kernel")
def test_what_begin_opened_is_what_the_cells_import(tmp_path: Path):
    run = begin(PROCEDURE, {"client": "x", "folder": str(tmp_path)})
    assert opened.runbook is run


@pytest.mark.usefixtures("kernel")
def test_after_a_begin_that_failed_a_cell_says_why_and_not_that_a_name_is_unknown(tmp_path: Path):
    begin(PROCEDURE, {"client": "x", "folder": str(tmp_path)})
    with pytest.raises(InputError):
        begin(PROCEDURE, {"client": "x", "folder": str(tmp_path), "adress": "192.0.2.1"})
    with pytest.raises(Stopped, match=r"not opened(.|\n)*'adress': did you mean 'address'"):
        from bmnb.opened import runbook  # noqa: F401


@pytest.mark.usefixtures("kernel")
def test_a_new_kernel_speaks_the_language_of_its_run(tmp_path: Path):
    (tmp_path / "client.yaml").write_text("language: fr\n")
    with use("en"), pytest.raises(Stopped, match="exécutez d’abord les cellules sous « Paramètres »"):
        _ = opened.runbook
