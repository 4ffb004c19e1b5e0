"""The way back: what the journal says was begun is undone, the last first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from IPython.display import display

from bmnb.errors import InputError, Stopped
from bmnb.journal import Journal
from bmnb.run import Run
from bmnb.settings import make
from bmnb.steps import Phase, Procedure, Step

ROLLBACK = Phase("Rollback")
CONFIRM = "give-up-target"
"""The key of the answer that accepts the price."""


def reopen(
    folder: Path,
    procedures: Sequence[Procedure],
    confirmed: str = "",
    show: Callable[[Any], Any] = display,
) -> Run:
    """The run of a folder with the settings of its journal. Raise InputError where there is none."""
    opened = Journal(folder / "journal.jsonl").last("opened")
    if opened is None:
        raise InputError(f"{folder} has no run in its journal")
    procedure = next(one for one in procedures if one.name == opened["procedure"])
    answers = {CONFIRM: confirmed} if confirmed else {}
    settings: Any = make(procedure.settings, {**opened["settings"], "answers": answers}, str(folder))
    return Run(procedure, settings, show, folder)


def undoing(run: Run) -> list[Step]:
    """The steps of the way back: the undo of each step that was begun, the last one first."""
    begun = {line["step"].split(".")[0] for line in run.journal.events("step started")}
    return [
        Step(f"Undo: {one.title}", ROLLBACK, one.undo)
        for one in reversed(run.procedure.steps)
        if one.undo and one.name in begun
    ]


def roll_back(run: Run) -> None:
    """Undo the run. The same again goes on where it stopped; what stops it is raised."""
    if run.journal.last("rolled back"):
        raise Stopped(f"{run.folder} is rolled back already")
    run.open()
    if not run.journal.last("rollback started"):
        run.journal.write("rollback started")
    for one in undoing(run):
        if not run.journal.last("step done", step=one.name):
            run.do(one, one.name)
    run.journal.write("rolled back", seconds=round(seconds(run.journal), 1))


def seconds(journal: Journal) -> float:
    """Seconds since the rollback began."""
    began = journal.last("rollback started")
    if began is None:
        return 0.0
    moment = datetime.fromisoformat(began["time"])
    return (datetime.now(moment.tzinfo) - moment).total_seconds()
