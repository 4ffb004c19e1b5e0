"""What is under way in runs that another kernel or command carries on, such as one whose tab was closed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from IPython.display import HTML, DisplayHandle

from bmnb import live
from bmnb.language import _
from bmnb.tables import sentence

SECONDS = 1.0
GONE_SECONDS = 10.0
"""A screen that is older was left by a kernel or command that is no more."""


def watch(folder: str = "../runs") -> Any:
    """Show the screens of all runs in a folder as they are drawn, until none is under way or the cell is interrupted."""
    handle: Any = DisplayHandle()  # type: ignore[no-untyped-call]
    handle.display(HTML(""))  # type: ignore[no-untyped-call]
    try:
        while shown := "\n".join(screens(Path(folder).expanduser())):
            handle.update(HTML(shown))  # type: ignore[no-untyped-call]
            time.sleep(SECONDS)
    except KeyboardInterrupt:
        return sentence(_("No longer watched; what is under way goes on."))
    handle.update(HTML(""))  # type: ignore[no-untyped-call]
    return sentence(_("Nothing is under way."))


def screens(runs: Path) -> Iterator[str]:
    """The screen of each run of which a step is under way."""
    for path in sorted(runs.glob(f"*/{live.SCREEN}")):
        try:
            fresh = time.time() - path.stat().st_mtime < GONE_SECONDS
            drawn = path.read_text(encoding="utf-8") if fresh else ""
        except FileNotFoundError:
            continue  # its step has ended just now
        if drawn:
            yield f"<h4>{escape(path.parent.name)}</h4>\n{drawn}"
