"""The end of a notebook: its report, and what is left for people to do."""

from __future__ import annotations

from html import escape
from typing import Any

from IPython.display import HTML

from bmnb.language import _
from bmnb.phrases import phrase
from bmnb.report import summary
from bmnb.report.facts import Facts
from bmnb.report.write import Wish, write
from bmnb.run import Run
from bmnb.tables import sentence


def conclude(run: Run) -> Any:
    """Make the report of what has been done so far, link it, and say what is left to do.

    It is not sealed yet: this notebook is saved after it. `bmnb report RUN` seals the run.
    """
    if run.settings.dry_run or not run.journal.lines:
        return sentence(_("Once the run is begun, this cell makes its report and says what is left to do."))
    path = write(run.folder, Wish(seal=False))
    facts = Facts(run.folder, run.journal, run.procedure)
    told = summary.verdict(facts)
    parts = [
        f"<p><b>{escape(told.title)}</b> {escape(told.text)}</p>",
        f'<p><a href="{escape(str(path))}" target="_blank">{escape(_("The report"))}</a></p>',
        listed(_("Open points"), summary.open_points(facts)),
        listed(_("What is left to do"), summary.left(facts)),
    ]
    if facts.finished:
        sealing = _("The run is at its end. When this notebook is saved, `bmnb report {folder}` seals it.")
        parts.append(f"<p>{escape(sealing.format(folder=run.folder))}</p>")
    return HTML("\n".join(filter(None, parts)))  # type: ignore[no-untyped-call]


def listed(title: str, points: list[str]) -> str:
    if not points:
        return ""
    rows = "".join(f"<li>{escape(phrase(one))}</li>" for one in points)
    return f"<p><b>{escape(title)}</b></p><ul>{rows}</ul>"
