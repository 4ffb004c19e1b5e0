"""The prose of a notebook in another language, paragraph by paragraph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bmnb.language import _


def translate(book: Any) -> None:
    """Put the prose of a notebook into the language in use. Its outputs, which speak another one, go."""
    for cell in book.cells:
        if cell.cell_type == "markdown":
            cell.source = "\n\n".join(_(paragraph) for paragraph in paragraphs(cell.source))
        else:
            cell.outputs, cell.execution_count = [], None


def paragraphs(source: str) -> list[str]:
    return source.split("\n\n")


def texts(book: Any) -> Iterator[str]:
    """Every paragraph of a notebook's prose."""
    for cell in book.cells:
        if cell.cell_type == "markdown":
            yield from paragraphs(cell.source)
