"""How a notebook shows a table: in the language in use, numbers with their unit, times in the run's own zone.

The table stays a plain DataFrame: IPython asks the object itself how it is shown, and what pandas makes of it, such as
a copy or some of its rows, is shown by pandas.
"""

from __future__ import annotations

from datetime import tzinfo
from html import escape
from typing import Any

import pandas as pd

from bmnb.data.schema import BYTES, COUNT, DURATION, RATE, REAL, Columns, Kind
from bmnb.language import _
from bmnb.report import wording
from bmnb.report.wording import Bytes, Rate, Seconds, Word

MOST = 500
"""Rows that are shown; all of them are in the table."""

NUMBERS = (COUNT, BYTES, REAL, RATE, DURATION)


def with_display(table: pd.DataFrame, columns: Columns, zone: tzinfo | None) -> pd.DataFrame:
    """The same table, which is shown as one of these columns."""

    def shown() -> str:
        return html(table, columns, zone)

    table._repr_html_ = shown  # type: ignore[attr-defined]
    return table


def html(table: pd.DataFrame, columns: Columns, zone: tzinfo | None) -> str:
    """Columns without a value are left out, and rows after the first ones."""
    there = [str(name) for name in table if table[name].notna().any()]
    first = table.head(MOST)
    heads = "".join(f"<th{_side(columns.get(name))}>{escape(_heading(name, columns))}</th>" for name in there)
    cells = {name: [_cell(value, columns.get(name), zone) for value in first[name]] for name in there}
    rows = ("".join(line) for line in zip(*cells.values(), strict=True))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{_rest(len(first), len(table))}"
    )


def _heading(name: str, columns: Columns) -> str:
    made = {BYTES: Bytes(0), RATE: Rate(0)}
    return wording.heading(name, made.get(columns[name]) if name in columns else None)


def _cell(value: Any, kind: Kind | None, zone: tzinfo | None) -> str:
    said = "" if pd.isna(value) else wording.cell(_worded(value, kind, zone))
    return f"<td{_side(kind)}>{escape(said)}</td>"


def _worded(value: Any, kind: Kind | None, zone: tzinfo | None) -> Any:
    match kind:
        case Kind.BYTES:
            return Bytes(value)
        case Kind.RATE:
            return Rate(value)
        case Kind.DURATION:
            return Seconds(value.total_seconds())
        case Kind.MOMENT:
            return value.to_pydatetime().astimezone(zone)
        case Kind.WORD | Kind.SAID:
            return Word(value)
        case Kind.COUNT:
            return int(value)
        case Kind.FLAG:
            return bool(value)
        case _other:
            return value


# JupyterLab's own rule aligns everything to the right
def _side(kind: Kind | None) -> str:
    return f' style="text-align: {"right" if kind in NUMBERS else "left"}"'


def _rest(shown: int, every: int) -> str:
    if shown == every:
        return ""
    text = _("The first {number} of {all} rows.")
    return f"<p>{escape(text.format(number=wording.number(shown), all=wording.number(every)))}</p>"
