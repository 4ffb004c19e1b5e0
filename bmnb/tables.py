"""Results as tables that a person reads."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown

from bmnb import shown
from bmnb.language import _
from bmnb.phrases import phrase
from bmnb.plain import plain

pd.set_option("display.max_colwidth", None)
pd.set_option("display.max_rows", 500)
pd.set_option("display.width", 200)
# JupyterLab would set what stands between two $ of a command as a formula
pd.set_option("styler.html.mathjax", False)


WIDEST = 200
"""Letters of a cell in plain text, each line of which is as wide as its longest cell: commands made megabytes of it."""


class Table(pd.DataFrame):
    """A DataFrame that a notebook shows as a person reads it; its values and columns stay as they are."""

    @property
    def _constructor(self) -> type[Table]:
        return Table

    def __repr__(self) -> str:
        with pd.option_context("display.max_colwidth", WIDEST):
            return super().__repr__()

    def _repr_html_(self) -> str:
        rows = self.astype(object).to_numpy().tolist()
        return shown.html([str(name) for name in self.columns], rows, _(str(self.attrs.get("by", ""))))


def _all_numbers(column: pd.Series[Any]) -> bool:
    return all(isinstance(one, int | float) or one == "" for one in column)


def table(
    rows: Iterable[Mapping[str, Any]],
    columns: list[str] | None = None,
    names: Collection[str] = (),
    by: str = "",
) -> Table:
    """A table with a row a mapping, in the language in use; cells without a value are empty, whole numbers stay whole.

    Columns of `names` stay as they are. Rows with the same value of the column `by` are shown folded up.
    """
    frame = Table([_said(row, names) for row in rows], columns=columns, dtype=object)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    frame = frame.fillna("").rename(columns=_)
    frame.attrs["by"] = by
    return frame


NAMES = ("server",)
"""Columns with names, which stay as they are in every language."""


def _said(row: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {
        column: plain(value if column in (*NAMES, *names) else phrase(value))
        if isinstance(value, str)
        else value
        for column, value in row.items()
    }


def bars(rows: Iterable[Mapping[str, Any]], columns: list[str]) -> Any:
    """A table with a bar in each cell of these columns, as long as the number is large, and what stands before them."""
    frame = table(rows)
    if frame.empty:
        return frame
    chosen = [name for name in map(_, columns) if name in frame]
    before = list(frame)[: list(frame).index(chosen[0])]
    frame = frame[[*before, *chosen]]
    numbers = {str(one): pd.to_numeric(frame[one]) for one in frame if _all_numbers(frame[one])}
    return (
        frame.assign(**numbers)
        .style.bar(subset=[_(one) for one in columns if _(one) in numbers], color="#9ecae1", vmin=0, width=90)
        .format("{:,.0f}", subset=list(numbers))
        .set_properties(**{"white-space": "nowrap"})  # type: ignore[arg-type]
        .set_uuid("bars")
    )


def sentence(text: str) -> Any:
    """A sentence as a cell's output."""
    return Markdown(text)  # type: ignore[no-untyped-call]


def linked(frame: pd.DataFrame, *columns: str) -> Any:
    """The table with the HTML links of these columns as links."""
    others: list[Hashable] = [one for one in frame.columns if one not in map(_, columns)]
    return frame.style.format(escape="html", subset=others).set_uuid("linked")
