"""The way back: what the journal says was begun is undone, the last first."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import datetime

from bmnb import plan
from bmnb.errors import InputError, Stopped
from bmnb.journal import Journal
from bmnb.language import _
from bmnb.ledger import has_undone, rolling_back, way_back_rows
from bmnb.run import Run, batches
from bmnb.steps import ROLLBACK, Manual, Row, Step

CONFIRM = "give-up-target"
"""The key of the answer that accepts the price."""
RESTORED = "restore-backup"
"""The key of the answer that says who has restored the backup, where that is the way back."""
ASKED = re.compile(r"; answer `[^`]+` to go on")
"""How a question names the key of its answer, for a client file."""
OPEN = "Nothing has been undone yet: the run can still go on as well."


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
        raise Stopped(f"{run.folder} is rolled back already; nothing was done")
    run.open()
    if not rolling_back(run.journal):
        run.journal.write("rollback started")
    try:
        for one in undoing(run):
            if not _is_done(run.journal, one):
                run.do(one, one.name)
    except Stopped as stopped:
        still_open = [_(OPEN)] if not has_undone(run.journal) else []
        ways = list(options(run))
        raise Stopped(
            "\n".join([_without_key(str(stopped)) if ways else str(stopped), *ways, *still_open])
        ) from None
    run.end("rolled back", seconds=round(seconds(run.journal), 1))


def _without_key(text: str) -> str:
    """What stops the way back, without the words of a client file and a cell: the commands below answer it."""
    anew = _("The same command or cell goes on from here.")
    return "\n".join(ASKED.sub("", line) for line in text.splitlines() if line != anew)


def options(run: Run) -> Iterator[str]:
    """For each question of the way back that waits, the command that answers it."""
    began = rolling_back(run.journal)
    for one in undoing(run):
        for key, action in (numbered for batch in batches(one, run.settings, one.name) for numbered in batch):
            last = run.journal.last(action=key)
            waits = last and began and last["number"] > began["number"] and last["event"] == "failed"
            if isinstance(action, Manual) and waits:
                text = action.expect or _("WHO, HOW IT CAN BE SEEN")
                confirms = action.key in (CONFIRM, RESTORED)
                option = ("--confirm", text) if confirms else ("--answer", f"{action.key}={text}")
                yield "  → " + shlex.join(["bmnb", "rollback", str(run.folder), *option])


def price(run: Run) -> str:
    """What going back from where the run is does, and what that costs."""
    here = [row for row in way_back_rows(run.procedure, run.journal) if row["now"]]
    return "; ".join(f"{row['what it does']}. Price: {row['what it costs']}" for row in here)


def planned(run: Run) -> Iterator[Row]:
    """A row for each action of the way back from where the run is; no server is contacted."""
    for one in undoing(run):
        for row in plan.step_rows(one, run.settings):
            yield {"step": one.title, **row}


def listed(run: Run) -> Iterator[str]:
    """The same as lines: each step with what is done on which server."""
    step = ""
    for row in planned(run):
        if row["step"] != step:
            step = row["step"]
            yield f"\n{step}"
        yield f"  {row['server']}: {row['action']}"


def _is_done(journal: Journal, one: Step) -> bool:
    """Since this way back was taken: an earlier one that was given up had undone nothing."""
    done, began = journal.last("step done", step=one.name), rolling_back(journal)
    return bool(done and began and done["number"] > began["number"])


def seconds(journal: Journal) -> float:
    """Seconds since the rollback began."""
    began = journal.last("rollback started")
    if began is None:
        return 0.0
    moment = datetime.fromisoformat(began["time"])
    return (datetime.now(moment.tzinfo) - moment).total_seconds()
