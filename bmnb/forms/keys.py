"""Shift+Enter in a field of a form goes on to the next cell, as it does in a cell.

JupyterLab has that key for its own editors alone: it is handed on to the notebook, which runs the cell of the form once
more and goes to the next one. What was typed is kept by then.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipywidgets import VBox, Widget

from bmnb.forms.pinned import pinned
from bmnb.forms.view import script

FORM = "bmnb-form"
PASSED_ON = f"""
window.bmnbPassesOn ??= (document.addEventListener("keydown", event => {{
  const notebook = event.target.closest?.(".{FORM}")?.closest(".jp-Notebook");
  if (!notebook || !event.isTrusted || event.key !== "Enter" || !event.shiftKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  notebook.focus();
  const key = {{key: "Enter", code: "Enter", keyCode: 13, shiftKey: true, bubbles: true, cancelable: true}};
  notebook.dispatchEvent(new KeyboardEvent("keydown", key));
}}, true), true);
"""


def boxed(children: Sequence[Widget]) -> VBox:
    """The widgets of a form, one below the other, with the line at the notebook's foot: a tab that was opened anew has
    it again from the next form on."""
    box = VBox([*children, script(PASSED_ON), pinned()])
    box.add_class(FORM)
    return box
