"""The line of where the run stands, pinned to the foot of the notebook as long as its kernel lives."""

from __future__ import annotations

from datetime import datetime
from html import escape
from threading import Event, Thread

from ipywidgets import HTML, VBox

from bmnb import opened, standing
from bmnb.forms.view import script

SECONDS = 1.0
MIRRORED = """
let tries = 0;
const seeking = setInterval(() => {
  const line = element.closest(".bmnb-standing");
  const panel = line && line.closest(".jp-NotebookPanel");
  if (panel || ++tries > 100) clearInterval(seeking);
  if (!panel) return;
  panel.querySelector(":scope > .bmnb-pinned")?.remove();
  const bar = document.createElement("div");
  bar.className = "bmnb-pinned";
  bar.setAttribute("role", "timer");
  bar.style = "position: absolute; bottom: 0; left: 0; right: 0; z-index: 10; padding: 4px 12px; pointer-events: none;"
    + "background: var(--jp-layout-color2); color: var(--jp-ui-font-color1); border-top: 1px solid var(--jp-border-color1)";
  const mirror = () => { bar.textContent = line.textContent.trim(); bar.hidden = !bar.textContent; };
  new MutationObserver(mirror).observe(line, {childList: true, subtree: true, characterData: true});
  mirror();
  panel.append(bar);
}, 200);
"""
_ended = Event()
"""Set once another line takes the place of the one that is shown."""


def pinned() -> VBox:
    """The line, which JupyterLab mirrors at the foot of its notebook; it takes the place of an earlier one."""
    global _ended
    _ended.set()
    _ended = Event()
    line = HTML(layout={"display": "none"})
    Thread(target=_follow, args=(line, _ended), daemon=True).start()
    box = VBox([line, script(MIRRORED)])
    box.add_class("bmnb-standing")
    return box


def _follow(line: HTML, ended: Event) -> None:
    while not ended.wait(SECONDS):
        run = opened.current()
        line.value = escape(standing.line(run, datetime.now().astimezone())) if run else ""
