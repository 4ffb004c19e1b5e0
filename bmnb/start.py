"""A run's own folder, with the copy of the notebook that it works on and the client file that it keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from bmnb.errors import InputError
from bmnb.files import private_folder, replace_text
from bmnb.folders import NOTEBOOK, folder_of
from bmnb.journal import Journal
from bmnb.language import use
from bmnb.prose import translate
from bmnb.settings import CLIENT_FILE, make, parameters_cell, write
from bmnb.steps import Procedure

INSTALLED = Path(__file__).parent / "notebooks"
NOTEBOOKS = INSTALLED if INSTALLED.is_dir() else Path(__file__).parent.parent / "notebooks"
"""In a wheel they lie in the package, in a checkout at its top."""


def new(
    procedure: Procedure,
    client: str,
    runs: Path,
    language: str = "en",
    usual: Mapping[str, Any] | None = None,
) -> Path:
    """Make the folder of a new run and return it; `usual` are the person's own values for all runs.

    A run of the client that was begun without a notebook of its own, as by papermill alone, gets one, with
    the values that it was begun with. Raise InputError where the client's name has no letter, or has a run of today or one that is not finished.
    """
    given = {**(usual or {}), "client": client, "runs": str(runs), "language": language}
    folder = folder_of(procedure, make(procedure.settings, given))
    if (folder / NOTEBOOK).exists():
        raise InputError(
            f"{client} has a run of today, or one that is not finished\n  → go on with it: {folder / NOTEBOOK}"
        )
    opened = Journal(folder / "journal.jsonl").last("opened")
    begun = {**opened["settings"], "through": ""} if opened else {}
    furnish(procedure, folder, {**given, **begun, "client": client, "language": language})
    return folder


def furnish(procedure: Procedure, folder: Path, values: Mapping[str, Any]) -> Path:
    """Write the run's client file and its notebook, in the language of the values; return the notebook."""
    private_folder(folder)
    write(
        folder / CLIENT_FILE, {key: value for key, value in values.items() if key not in ("runs", "folder")}
    )
    notebook = folder / NOTEBOOK
    book = nbformat.read(template(procedure), as_version=4)
    with use(values.get("language", "en")):
        translate(book)
        for cell in book.cells:
            if "parameters" in cell.metadata.get("tags", []):
                cell.source = parameters_cell(procedure.settings, folder=".")
                cell.metadata["jupyter"] = {"source_hidden": True}  # the form asks for them
    replace_text(notebook, nbformat.writes(book) + "\n")
    return notebook


def page(name: str, runs: Path, language: str) -> Path:
    """Write a notebook that only looks into the folder of runs, in a language; return it."""
    private_folder(runs)
    book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    with use(language):
        translate(book)
    for cell in book.cells:
        if "parameters" in cell.metadata.get("tags", []):
            for parameter, value in (("runs", "."), ("language", language)):
                cell.source = re.sub(
                    rf'^({parameter}: str = )"[^"]*"', rf'\1"{value}"', cell.source, flags=re.M
                )
    replace_text(runs / f"{name}.ipynb", nbformat.writes(book) + "\n")
    return runs / f"{name}.ipynb"


def template(procedure: Procedure) -> Path:
    return NOTEBOOKS / f"{procedure.name}.ipynb"
