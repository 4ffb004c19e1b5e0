"""Fields of a form that belong together, folded up under a title that says what of them differs from the default."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from ipywidgets import ToggleButton, VBox, Widget

from bmnb.language import _

ORDER = ("Speed", "Verification", "Network", "Packages", "Setup wizard", "Report", "Other")
"""A setting that names no group is in the last one."""
SHOWN, HIDDEN = {"display": ""}, {"display": "none"}


def named(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata["group"]) or ORDER[-1]


class Group:
    """A title that is a button, and the rows that it shows or hides."""

    def __init__(self, title: str, rows: Sequence[Widget]) -> None:
        self.title, self._said = title, ""
        self.rows = VBox(list(rows), layout=HIDDEN)
        self.button = ToggleButton(value=False, layout={"width": "max-content", "max_width": "100%"})
        self.button.observe(lambda change: self._show(), "value")
        self.box = VBox([self.button, self.rows], layout={"margin": "4px 0"})

    def tell(self, differing: Sequence[str], wrong: bool) -> None:
        """Say in the title what differs from the default; what is wrong is not left folded up."""
        marks = "✗ " if wrong else ""
        self._said = marks + ": ".join(filter(None, [_(self.title), ", ".join(differing)]))
        self.button.value = self.button.value or wrong
        self._show()

    def _show(self) -> None:
        self.button.description = f"{'▾' if self.button.value else '▸'} {self._said}"
        self.rows.layout.display = (SHOWN if self.button.value else HIDDEN)["display"]


def applies(field: dataclasses.Field[Any], values: Mapping[str, Any], usual: Mapping[str, Any]) -> bool:
    """Whether a form asks for it: another choice may leave it without a meaning. What was set is shown all the same."""
    if not field.metadata["only"]:
        return True
    other, value = field.metadata["only"]
    return bool(values[other] == value or values[field.name] != usual[field.name])
