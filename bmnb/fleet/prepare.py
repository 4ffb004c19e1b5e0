"""Writing down who is to be worked on, before the first run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bmnb.errors import InputError
from bmnb.fleet.course import Course
from bmnb.fleet.members import Member
from bmnb.fleet.store import DONE, PLANNED, STARTED, Client, Store
from bmnb.folders import folder_of
from bmnb.journal import Journal
from bmnb.steps import Procedure


def prepare(
    store: Store, procedure: Procedure, course: Course, members: Iterable[Member], again: bool = False
) -> None:
    """Plan these clients. What is done stays done; what was under way is taken up first.

    With `again` those whose last phase is that of the hot passes do that phase once more.

    Raise InputError where the folder of runs has a fleet of another procedure.
    """
    told = store.told().get("procedure", procedure.name)
    if told != procedure.name:
        raise InputError(f"{store.runs} has a fleet of {told}\n  → another folder: --runs DIR")
    store.tell(procedure=procedure.name)
    known = {one.name: one for one in store.clients()}
    for place, member in enumerate(members):
        before = known.get(member.name)
        folder = _folder(store, procedure, member, before)
        told = before.reached if before and before.folder == str(folder) else ""
        reached = course.further(course.done(folder), told)
        reached = course.before_passes(reached) if again else reached
        store.add(
            member.name,
            place=place,
            source=member.source,
            settings=member.as_json(),
            wishes=member.wishes.as_json(),
            folder=str(folder),
            through=course.through,
            reached=reached,
            state=PLANNED if course.left(reached) else DONE,
            why="",
            attempts=int(bool(before and before.state == STARTED)),
            stop=0,
        )


def _folder(store: Store, procedure: Procedure, member: Member, before: Client | None) -> Path:
    """The run's folder: the one it has, but for a run that was rolled back, which is over."""
    if before and before.folder and not Journal(Path(before.folder) / "journal.jsonl").last("rolled back"):
        return Path(before.folder)
    values = {**member.values, "runs": str(store.runs)}
    return folder_of(procedure, procedure.settings(**values)).resolve()
