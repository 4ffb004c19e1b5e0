"""Results as tables that a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from IPython.display import Markdown

pd.set_option("display.max_colwidth", None)
pd.set_option("display.max_rows", 500)
pd.set_option("display.width", 200)


def table(rows: Iterable[Mapping[str, Any]], columns: list[str] | None = None) -> pd.DataFrame:
    """A table with a row a mapping; cells without a value are empty, whole numbers stay whole."""
    frame = pd.DataFrame([dict(row) for row in rows], columns=columns, dtype=object)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame.fillna("")


def bars(rows: Iterable[Mapping[str, Any]], columns: list[str]) -> Any:
    """A table with a bar in each cell of these columns, as long as the number is large."""
    frame = table(rows)
    if frame.empty:
        return frame
    numbers = {one: pd.to_numeric(frame[one]) for one in columns if one in frame}
    return (
        frame.assign(**numbers)
        .style.bar(subset=list(numbers), color="#9ecae1", vmin=0, width=90)
        .format("{:,.0f}", subset=list(numbers))
        .set_uuid("bars")
    )


def sentence(text: str) -> Any:
    """A sentence as a cell's output."""
    return Markdown(text)  # type: ignore[no-untyped-call]


def linked(frame: pd.DataFrame, column: str) -> Any:
    """The table with the HTML links of one column as links."""
    return frame.style.format(escape="html", subset=[one for one in frame.columns if one != column])


def save(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write rows as CSV, a table without rows as an empty file."""
    path.parent.mkdir(exist_ok=True)
    pd.DataFrame([dict(row) for row in rows], dtype=object).to_csv(path, index=False)
