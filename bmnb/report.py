"""The executed notebook as one HTML file that needs nothing from the network."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from traitlets.config import Config

from bmnb.errors import InputError

# nbconvert's page loads these from the network unless told otherwise
NOTHING_FROM_OUTSIDE = {
    "require_js_url": "",
    "jquery_url": "",
    "mathjax_url": "",
    "mermaid_js_url": "",
    "jupyter_widgets_base_url": "",
    "widget_renderer_url": "",
    "html_manager_semver_range": "",
}


def write(folder: Path) -> Path:
    """Write report.html beside the run's notebook. Raise InputError where there is no notebook."""
    notebook = folder / "notebook.ipynb"
    if not notebook.exists():
        raise InputError(f"{folder} has no notebook.ipynb to make a report of")
    path = folder / "report.html"
    path.write_text(render(notebook), encoding="utf-8")
    return path


def render(notebook: Path) -> str:
    book = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        config=Config({"HTMLExporter": {**NOTHING_FROM_OUTSIDE, "exclude_input_prompt": True}})
    )
    html, _ = exporter.from_notebook_node(book, {"metadata": {"name": folder_name(notebook)}})
    return str(html)


def folder_name(notebook: Path) -> str:
    return notebook.resolve().parent.name
