"""The index of procedures and of the runs on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

from bmnb import procedures as documents
from bmnb.journal import Journal
from bmnb.language import _
from bmnb.ledger import downtime
from bmnb.phrases import phrase
from bmnb.steps import Row
from bmnb.tables import linked, table


def procedures() -> Any:
    """The procedures with their notebooks and phases."""
    return table(_documents())


def runs(folder: str = "../runs") -> Any:
    """The runs in a folder: where each one stands, what it did last, and its notebook."""
    columns = ["run", "phase", "last action", "when", "downtime", "finished"]
    return linked(table(_rows(Path(folder).expanduser()), columns), "run")


def _documents() -> Iterator[Row]:
    for one in documents.ALL:
        yield {
            "procedure": one.title,
            "notebook": f"{one.name}.ipynb",
            "phases": ", ".join(_(phase.title) for phase in one.phases),
            "steps": len(one.steps),
        }


def _rows(folder: Path) -> Iterator[Row]:
    for notebook in sorted(folder.glob("*/notebook.ipynb")):
        journal = Journal(notebook.parent / "journal.jsonl")
        step = journal.last("step started")
        ended = [line for line in journal.lines if line["event"] in ("done", "failed", "skipped")]
        yield {
            "run": f'<a href="{escape(str(notebook))}">{escape(notebook.parent.name)}</a>',
            "phase": _phase(step["phase"]) if step else "",
            "last action": f"{phrase(ended[-1]['title'])}: {_(ended[-1]['event'])}" if ended else "",
            "when": journal.lines[-1]["time"][:19] if journal.lines else "",
            "downtime": _downtime(journal),
            "finished": _("yes") if journal.last("finished") else _("no"),
        }


def _phase(name: str) -> str:
    titles = {phase.name: phase.title for one in documents.ALL for phase in one.phases}
    return _(titles.get(name, name))


def _downtime(journal: Journal) -> str:
    """How long users were cut off, as hours, minutes and seconds; with … where they still are."""
    opened = journal.last("opened")
    known = [one for one in documents.ALL if opened and one.name == opened["procedure"]]
    stopped, answers = downtime(known[0], journal) if known else (None, None)
    if not stopped:
        return ""
    until = datetime.fromisoformat(answers["time"]) if answers else datetime.now(UTC)
    lasted = until - datetime.fromisoformat(stopped["time"])
    return f"{timedelta(seconds=round(lasted.total_seconds()))}{'' if answers else ' …'}"
