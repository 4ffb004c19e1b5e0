"""The fleet's notebook: the board's tables and chart, live, in the language of who looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nbformat

from bmnb.fleet.store import Store
from bmnb.folders import NOTEBOOK
from bmnb.language import use
from bmnb.prose import translate
from bmnb.settings import parameters_cell, setting
from bmnb.start import NOTEBOOKS

TEMPLATE = NOTEBOOKS / "fleet.ipynb"


@dataclass(frozen=True)
class View:
    """The notebook's parameters."""

    runs: str = setting("../runs", "folder of the runs, with the fleet's state")
    language: str = setting("en", "language of tables and texts: en or fr")
    watch_minutes: int = setting(0, "how long the last cell goes on showing what changes")


def write(store: Store, language: str = "en") -> Path:
    """Write the notebook into the fleet's folder, and return its path."""
    book = nbformat.read(TEMPLATE, as_version=4)
    with use(language):
        translate(book)
        for cell in book.cells:
            if "parameters" in cell.metadata.get("tags", []):
                cell.source = parameters_cell(View, runs="..", language=language, watch_minutes=600)
    nbformat.write(book, store.folder / NOTEBOOK)
    return store.folder / NOTEBOOK
