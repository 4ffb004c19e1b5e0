"""A widget with the static HTML that stands in its place where no kernel runs."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, Output, Widget

from bmnb.plain import plain
from bmnb.saving import WIDGET

LABEL = {"description_width": "210px"}
WIDE = {"width": "580px"}
UNDER_FIELD = {"width": "720px", "margin": "-2px 0 0 218px"}


class View:
    """What a cell shows: the widget where a person can type, the static text for every other reader."""

    def __init__(self, static: str, widget: Widget | None = None) -> None:
        self.static, self.widget = static, widget

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/html": self.static, "text/plain": "form"}
        if self.widget is not None:
            bundle[WIDGET] = self.widget._repr_mimebundle_()[WIDGET]
        return bundle


def script(code: str) -> Output:
    """What JupyterLab does in its page where the widget is shown; it is in no saved notebook."""
    return Output(
        outputs=({"output_type": "display_data", "data": {"application/javascript": code}, "metadata": {}},)
    )


def said(text: str, kind: str = "") -> HTML:
    """Text beneath a field; `kind` is wrong, good or nothing, and stands in the text as well."""
    return HTML(marked(text, kind), layout=UNDER_FIELD)


def marked(text: str, kind: str = "") -> str:
    signs = {"wrong": "✗ ", "good": "✓ "}
    colours = {"wrong": "#b00020", "good": "#1b5e20", "": "var(--jp-ui-font-color2, #555)"}
    role = ' role="alert"' if kind == "wrong" else ""
    lines = "<br>".join(escape(plain(line)) for line in text.splitlines())
    style = f"color:{colours[kind]}; line-height:1.4"
    return f'<div{role} style="{style}">{signs.get(kind, "")}{lines}</div>' if text else ""
