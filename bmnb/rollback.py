"""The way back: what the journal says was begun is undone, the last first."""

from __future__ import annotations

from datetime import datetime

from bmnb.errors import InputError, Stopped
from bmnb.journal import Journal
from bmnb.run import Run
from bmnb.steps import ROLLBACK, Step

CONFIRM = "give-up-target"
"""The key of the answer that accepts the price."""
RESTORED = "restore-backup"
"""The key of the answer that says who has restored the backup, where that is the way back."""


def undoing(run: Run) -> list[Step]:
    """The steps of the way back: the undo of each step that has changed anything, the last one first."""
    changed = [line["action"] for line in run.journal.events("started") if "unit" in line]
    begun = {action.split("/")[0].split(".")[0] for action in changed}
    return [
        Step(f"Undo: {one.title}", ROLLBACK, one.undo)
        for one in reversed(run.procedure.steps)
        if one.undo and one.name in begun
    ]


def roll_back(run: Run) -> None:
    """Undo the run. The same again goes on where it stopped; what stops it is raised."""
    if not any(one.undo for one in run.procedure.steps):
        raise InputError(f"“{run.procedure.title}” has no way back by command: see what its plan says of it")
    if run.journal.last("rolled back"):
        raise Stopped(f"{run.folder} is rolled back already")
    run.open()
    if not run.journal.last("rollback started"):
        run.journal.write("rollback started")
    for one in undoing(run):
        if not run.journal.last("step done", step=one.name):
            run.do(one, one.name)
    run.end("rolled back", seconds=round(seconds(run.journal), 1))


def seconds(journal: Journal) -> float:
    """Seconds since the rollback began."""
    began = journal.last("rollback started")
    if began is None:
        return 0.0
    moment = datetime.fromisoformat(began["time"])
    return (datetime.now(moment.tzinfo) - moment).total_seconds()
