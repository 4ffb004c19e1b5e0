"""Results as tables that a person reads."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown

from bmnb.language import _
from bmnb.phrases import phrase
from bmnb.plain import plain

pd.set_option("display.max_colwidth", None)
pd.set_option("display.max_rows", 500)
pd.set_option("display.width", 200)
# JupyterLab would set what stands between two $ of a command as a formula
pd.set_option("display.html.use_mathjax", False)
pd.set_option("styler.html.mathjax", False)

LONG = 24
"""Letters from which on a text has a column of some width."""


class Table(pd.DataFrame):
    """A DataFrame that shows text from the left and numbers from the right."""

    @property
    def _constructor(self) -> type[Table]:
        return Table

    def _repr_html_(self) -> str:
        named = list(enumerate(self.columns, 1))
        numbers = [place for place, name in named if _all_numbers(self[name])]
        # where a table has many columns, those with text would be squeezed to a word a line
        texts = [place for place, name in named if _has_long_text(self[name])]
        mine = "-".join(map(str, ["bmnb", *numbers, "text", *texts]))
        # JupyterLab's own rule aligns everything to the right, under a more specific selector
        rules = [
            f"table.{mine} td, table.{mine} th {{text-align: left !important}}",
            *(f"table.{mine} td:nth-of-type({place}) {{text-align: right !important}}" for place in numbers),
            *(f"table.{mine} td:nth-of-type({place}) {{min-width: 12em}}" for place in texts),
        ]
        return f"<style>{' '.join(rules)}</style>{self.to_html(classes=mine, border=0)}"


def _has_long_text(column: pd.Series[Any]) -> bool:
    return any(isinstance(one, str) and len(one) > LONG for one in column)


def _all_numbers(column: pd.Series[Any]) -> bool:
    return all(isinstance(one, int | float) or one == "" for one in column)


def table(
    rows: Iterable[Mapping[str, Any]], columns: list[str] | None = None, names: Collection[str] = ()
) -> Table:
    """A table with a row a mapping, in the language in use; cells without a value are empty, whole numbers stay whole.

    Columns of `names` stay as they are.
    """
    frame = Table([_said(row, names) for row in rows], columns=columns, dtype=object)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame.fillna("").rename(columns=_)


def _said(row: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {
        column: plain(value if column in names else phrase(value)) if isinstance(value, str) else value
        for column, value in row.items()
    }


def bars(rows: Iterable[Mapping[str, Any]], columns: list[str]) -> Any:
    """A table with a bar in each cell of these columns, side by side, as long as the number is large."""
    frame = table(rows)
    if frame.empty:
        return frame
    shown = [name for name in map(_, columns) if name in frame]
    before = list(frame)[: list(frame).index(shown[0])]
    frame = frame[[*before, *shown, *(name for name in frame if name not in (*before, *shown))]]
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
