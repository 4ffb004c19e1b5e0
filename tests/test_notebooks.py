"""Notebooks read like a manual: prose, a short cell, a table; and they carry the plan as their output."""

import ast
from pathlib import Path

import nbformat
import pytest

from bmnb import procedures
from bmnb.settings import parameters_cell
from bmnb.steps import Procedure

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
LOGIC = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.If, ast.For, ast.While, ast.Try, ast.With),
)


def cells(path: Path):
    return nbformat.read(path, 4).cells


def code(path: Path):
    return [
        cell
        for cell in cells(path)
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_cell_has_one_to_five_lines_and_no_logic(path: Path):
    for cell in code(path):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert 1 <= len(lines) <= 5, cell.source
        assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, LOGIC)], cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_prose_comes_before_every_cell(path: Path):
    kinds = [cell.cell_type for cell in cells(path)]
    assert kinds[0] == "markdown"
    assert [kinds[place - 1] for place, kind in enumerate(kinds) if kind == "code"] == [
        "markdown"
    ] * kinds.count("code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_of_a_run_is_left_in_a_template(path: Path):
    book = nbformat.read(path, 4)
    assert not {"papermill", "widgets"} & set(book.metadata)
    assert not [cell.id for cell in book.cells if "papermill" in cell.metadata]
    assert not [cell.id for cell in book.cells if "injected-parameters" in cell.metadata.get("tags", [])]


def named(procedure: Procedure) -> Path:
    return next(path for path in NOTEBOOKS if path.stem == procedure.name)


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda procedure: procedure.name)
def test_the_parameters_cell_is_that_of_the_settings(procedure: Procedure):
    found = [cell.source for cell in cells(named(procedure)) if "parameters" in cell.metadata.get("tags", [])]
    assert found == [parameters_cell(procedure.settings)]


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda procedure: procedure.name)
def test_every_step_of_the_procedure_is_a_cell_in_its_order(procedure: Procedure):
    lines = [cell.source.splitlines()[-1] for cell in code(named(procedure))]
    called = [line for line in lines if line.startswith("runbook(procedure.")]
    assert called == [f"runbook(procedure.{step.actions.__name__})" for step in procedure.steps]


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda procedure: procedure.name)
def test_a_notebook_declares_the_deviations_of_its_procedure(procedure: Procedure):
    path = next(path for path in NOTEBOOKS if path.stem == procedure.name)
    [table] = [cell.source for cell in cells(path) if "with these deviations" in cell.source]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert rows == [f"| {one.document} | {one.here} | {one.reason} |" for one in procedure.deviations]


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda procedure: procedure.name)
def test_what_one_comes_back_to_stands_once(procedure: Procedure):
    lines = [cell.source.splitlines()[-1] for cell in code(named(procedure))]
    once = ["runbook.plan()", "runbook.checklist()", "runbook.way_back()", "notes(runbook)"]
    assert [line for line in lines if line.startswith(tuple(one[:-1] for one in once))] == once
