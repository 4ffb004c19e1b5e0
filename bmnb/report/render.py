"""The page as one HTML file that needs nothing from the network, made by nbconvert with our template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbconvert.filters import strip_ansi
from traitlets.config import Config

from bmnb import redact
from bmnb.language import _
from bmnb.plain import plain
from bmnb.report import wording
from bmnb.report.clean import clean
from bmnb.report.page import TEMPLATES, Page


def render(page: Page, notebook: Path, change: Callable[[str], str]) -> str:
    """The page as HTML, with the executed notebook where there is one; `change` gets the whole text."""
    book = nbformat.from_dict({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    if notebook.exists():
        book = nbformat.from_dict(redact.facts(nbformat.read(notebook, as_version=4)))
    exporter = HTMLExporter(
        config=Config(
            {
                "HTMLExporter": {
                    "template_name": "bmnb",
                    "extra_template_basedirs": [str(TEMPLATES)],
                    "exclude_input_prompt": True,
                    "exclude_output_prompt": True,
                    "filters": {
                        "columns": wording.columns,
                        "cell": wording.cell,
                        "plain": strip_ansi,
                        "clean": clean,
                    },
                }
            }
        )
    )
    exporter.environment.globals |= {"_": _, "run": page}
    html, _resources = exporter.from_notebook_node(book)
    return change(plain(str(html)))
