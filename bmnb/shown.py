"""A table as a person sees it in a notebook: few columns, statuses with a badge, commands as they are typed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

from bmnb.language import _, plural
from bmnb.phrases import phrase

MOST = 6
"""Columns that a person reads side by side; what is more is folded into them."""
ROWS = 500
"""Of a longer table the rest is in the report's files."""
LONG = 24
"""Letters from which on a text has a column of some width."""

BADGES = {
    "done": ("✓", "#1b5e20"),
    "failed": ("✗", "#b00020"),
    "started": ("▸", "#0d47a1"),
    "skipped": ("–", "#555"),
    "planned": ("○", "#555"),
}
PAIRS = (("began", "ended", " – "), ("when", "who", ", "), ("status", "passes", " × "))
"""Columns of which the second goes into the first where there are too many."""
TYPED = ("command",)

Row = list[Any]


def html(columns: Sequence[str], rows: Sequence[Row], by: str = "") -> str:
    """The table; with `by` a part for each run of rows with the same value there, folded up."""
    if by and by in columns:
        return "\n".join(_parts(list(columns), [list(row) for row in rows], by))
    names, kept = folded(list(columns), [list(row) for row in rows[:ROWS]])
    more = _("… and {number} more").format(number=len(rows) - ROWS) if len(rows) > ROWS else ""
    return _table(names, kept) + (f"<p>{escape(more)}</p>" if more else "")


def folded(columns: list[str], rows: list[Row]) -> tuple[list[str], list[Row]]:
    """No more columns than are read side by side: what was counted goes in words behind what was seen."""
    for kept, other, between in PAIRS:
        if len(columns) > MOST and {_(kept), _(other)} <= set(columns):
            to, of = columns.index(_(kept)), columns.index(_(other))
            for row in rows:
                row[to] = between.join(str(one) for one in (row[to], row[of]) if one != "")
            columns, rows = _without(columns, rows, {of})
    if len(columns) <= MOST or _("seen") not in columns:
        return columns, rows
    seen = columns.index(_("seen"))
    counted = set(range(seen + 1, len(columns)))
    for row in rows:
        words = [f"{columns[place]} {_said(row[place])}" for place in sorted(counted) if row[place] != ""]
        row[seen] = "; ".join(filter(None, [str(row[seen]), ", ".join(words)]))
    return _without(columns, rows, counted)


def _without(columns: list[str], rows: list[Row], places: set[int]) -> tuple[list[str], list[Row]]:
    kept = [place for place in range(len(columns)) if place not in places]
    return [columns[place] for place in kept], [[row[place] for place in kept] for row in rows]


def _parts(columns: list[str], rows: list[Row], by: str) -> list[str]:
    """A folded part for each step: its name, how much it does and where, whether users are cut off."""
    place, server = columns.index(by), columns.index(_("server"))
    before = {columns.index(name) for name in (_("phase"), _("downtime"), by) if name in columns}
    found = []
    for title, some in groupby(rows, key=lambda row: row[place]):
        own = list(some)
        phase = [str(own[0][columns.index(_("phase"))])] if _("phase") in columns else []
        many = plural("{number} action", "{number} actions", len(own))
        servers = ", ".join(dict.fromkeys(one for row in own for one in _servers(str(row[server]))))
        cut = (
            _("users are cut off")
            if _("downtime") in columns and own[0][columns.index(_("downtime"))]
            else ""
        )
        summary = " · ".join(filter(None, [*phase, str(title), many, servers, cut]))
        names, kept = _without(columns, own, before)
        found.append(f"<details><summary>{escape(summary)}</summary>{_table(names, kept)}</details>")
    return found


def _servers(told: str) -> list[str]:
    """The names in a plan's cell, without the address at which one is contacted."""
    return told.split(" at ")[0].split(", ")


def _table(columns: list[str], rows: list[Row]) -> str:
    numbers = [place for place in range(len(columns)) if all(_is_number(row[place]) for row in rows)]
    # where a table has many columns, those with text would be squeezed to a word a line
    texts = [
        place
        for place in range(len(columns))
        if any(isinstance(row[place], str) and len(row[place]) > LONG for row in rows)
    ]
    mine = "-".join(map(str, ["bmnb", *(n + 1 for n in numbers), "text", *(n + 1 for n in texts)]))
    # JupyterLab's own rule aligns everything to the right, under a more specific selector
    rules = [
        f"table.{mine} td, table.{mine} th {{text-align: left !important; vertical-align: top}}",
        *(f"table.{mine} td:nth-of-type({n + 1}) {{text-align: right !important}}" for n in numbers),
        *(f"table.{mine} td:nth-of-type({n + 1}) {{min-width: 12em}}" for n in texts),
    ]
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr><th>{number}</th>{''.join(_cell(name, one) for name, one in zip(columns, row, strict=True))}</tr>\n"
        for number, row in enumerate(rows, 1)
    )
    # JupyterLab would set what stands between two $ of a command as a formula
    return (
        f"<style>{' '.join(rules)}</style>"
        f'<table class="dataframe {mine} tex2jax_ignore mathjax_ignore">\n'
        f"<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>"
    )


def _cell(column: str, value: Any) -> str:
    if column == _("status") and (badge := _badge(str(value))):
        return f"<td>{badge}</td>"
    if column in map(_, TYPED) and value:
        text = f'<pre style="margin: 0; white-space: pre-wrap; text-align: left">{escape(str(value))}</pre>'
        return f"<td>{text}</td>"
    return f"<td>{escape(_said(value)).replace(chr(10), '<br>')}</td>"


def _badge(status: str) -> str:
    """The status with a sign and on its colour; the word alone tells it as well."""
    word = status.split(" × ")[0]
    for name, (sign, colour) in BADGES.items():
        if word in (name, _(name)):
            style = (
                f"background: {colour}; color: #fff; border-radius: 3px; padding: 0 6px; white-space: nowrap"
            )
            return f'<span style="{style}">{sign} {escape(status)}</span>'
    return ""


def _said(value: Any) -> str:
    """A number with grouped thousands, as the language in use writes it; any other value as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return phrase(f"{value:,}") if isinstance(value, int) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or value == ""
