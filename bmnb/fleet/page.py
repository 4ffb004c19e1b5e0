"""The summary report over all clients of a fleet, as one HTML file that needs nothing from the network."""

from __future__ import annotations

import base64
import os
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from bmnb import __version__
from bmnb.files import replace_text
from bmnb.fleet.board import Board
from bmnb.fleet.store import DONE
from bmnb.language import _, current, use
from bmnb.plain import plain
from bmnb.report import charts, wording
from bmnb.report.page import TEMPLATES

HERE = Path(__file__).parent


def write(board: Board, language: str = "en") -> Path:
    """Write `report.html` into the fleet's folder, `report-LANGUAGE.html` in another language than English."""
    name = "report.html" if language == "en" else f"report-{language}.html"
    with use(language):
        replace_text(board.store.folder / name, render(board))
    return board.store.folder / name


def render(board: Board) -> str:
    """The page as HTML, in the language in use."""
    rows, lanes, procedure = board.rows(), board.lanes(), board.procedure
    picture = base64.b64encode(charts.lanes(lanes).encode()).decode() if lanes else ""
    states = Counter(str(row["state"]) for row in rows)
    return filled(
        "page.html.j2",
        title=_("Fleet report"),
        procedure=_(procedure.title) if procedure else "",
        kind="done" if states.keys() <= {DONE} else "unfinished",
        counts=", ".join(f"{number} {_(state)}" for state, number in states.items()),
        rows=[{**row, "why": str(row["why"])} for row in rows],
        linked=lambda path: os.path.relpath(path, board.store.folder),
        notices=board.store.notices(),
        picture=picture,
    )


def filled(template: str, **facts: Any) -> str:
    """A template of this folder as HTML, with what all pages have, in the language in use."""
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True)
    environment.filters |= {"kind": wording.kind, "cell": wording.cell}
    page = environment.get_template(template).render(
        _=_,
        language=current(),
        style=(TEMPLATES / "bmnb" / "style.css").read_text(encoding="utf-8"),
        made=f"{wording.clock(datetime.now().astimezone())} · bmnb {__version__}",
        **facts,
    )
    return plain(page)
