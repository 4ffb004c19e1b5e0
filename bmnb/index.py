"""The index of procedures and of the runs on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bmnb import procedures as documents
from bmnb.journal import Journal
from bmnb.steps import Row
from bmnb.tables import table


def procedures() -> Any:
    """The procedures with their notebooks and phases."""
    return table(
        {
            "procedure": one.title,
            "notebook": f"{one.name}.ipynb",
            "phases": ", ".join(phase.title for phase in one.phases),
            "steps": len(one.steps),
        }
        for one in documents.ALL
    )


def runs(folder: str = "runs") -> Any:
    """The runs in a folder: where each one stands and what it did last."""
    columns = ["run", "phase", "last action", "when", "finished"]
    return table(_rows(Path(folder).expanduser()), columns)


def _rows(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.glob("*/journal.jsonl")):
        journal = Journal(path)
        step = journal.last("step started")
        ended = [line for line in journal.lines if line["event"] in ("done", "failed", "skipped")]
        yield {
            "run": path.parent.name,
            "phase": step["phase"] if step else "",
            "last action": f"{ended[-1]['title']}: {ended[-1]['event']}" if ended else "",
            "when": journal.lines[-1]["time"][:19] if journal.lines else "",
            "finished": "yes" if journal.last("finished") else "no",
        }
