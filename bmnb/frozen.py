"""What a run was proven with is its journal's: it does not change under the steps that rest on it.

What a step rests on is what it reads of its settings to yield its actions; nobody has to list it. What identifies
the run, such as its servers, all steps rest on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Any

from bmnb import redact
from bmnb.errors import InputError
from bmnb.journal import Journal, Line, Record, step_of
from bmnb.language import _
from bmnb.ledger import changes_a_server
from bmnb.settings import renewed
from bmnb.steps import Procedure, Step, singles


@dataclass(frozen=True)
class Change:
    """A setting that is not what steps that are done were proven with, and those of them that rest on it.

    It is `held` where they cannot be done again: what rests on them was begun since.
    """

    name: str
    before: Any
    now: Any
    resting: tuple[Step, ...]
    held: bool

    def __str__(self) -> str:
        if not self.resting:
            return _("  {name}: {before}, now {now}").format(**vars(self))
        names = ", ".join(f"“{_(step.title)}”" for step in self.resting)
        text = _("  {name}: {before}, now {now}; on it rests {names}")
        return text.format(**vars(self), names=names)


def refuse_changes(procedure: Procedure, journal: Journal, settings: Any) -> None:
    """Raise InputError where a setting has changed on which steps rest that are done and not done again."""
    held = [str(change) for change in changes(procedure, journal, settings) if change.held]
    if held:
        text = _("{folder} was begun with other values, which its steps have proven:")
        remedy = _("→ put them back, or begin a new run for the new ones; nothing was contacted")
        raise InputError("\n".join([text.format(folder=journal.path.parent), *held, f"  {remedy}"]))


def reopen_changed(procedure: Procedure, journal: Journal, settings: Any) -> Iterator[str]:
    """Have the steps done again that rest on a setting that has changed; a sentence for each such setting."""
    for change in list(changes(procedure, journal, settings)):
        if change.resting and not change.held:
            text = _("“{name}” was {before} and is {now} now: what rests on it is done again: {steps}.")
            steps = ", ".join(_(step.title) for step in change.resting)
            said = text.format(name=change.name, before=change.before, now=change.now, steps=steps)
            journal.write("reopened", steps=[step.name for step in change.resting], why=said)
            yield said


def changes(procedure: Procedure, journal: Record, settings: Any) -> Iterator[Change]:
    """What is no longer as it was when the steps were done that stand."""
    proven = [(step, renewed(type(settings), line["settings"])) for step, line in _proven(procedure, journal)]
    for field in fields(settings):
        now = getattr(settings, field.name)
        other = [
            (step, values[field.name])
            for step, values in proven
            if values.get(field.name) is not None
            if _differs(field, values[field.name], now)
        ]
        if not other or now in field.metadata["becomes"]:
            continue
        before = other[0][1]
        if field.metadata["frozen"]:
            yield Change(field.name, before, now, (), held=True)
            continue
        if field.metadata["free"]:
            continue
        earlier = replace(settings, **{field.name: before})
        resting = [
            step for step, _ in other if field.name in rests_on(step, settings) | rests_on(step, earlier)
        ]
        if resting:
            final = any(not can_be_done_again(procedure, journal, step) for step in resting)
            yield Change(field.name, before, now, tuple(resting), final)


def held(procedure: Procedure, journal: Record, settings: Any) -> set[str]:
    """The names of the settings that can only stay as they are."""
    done = [step for step, _ in _proven(procedure, journal)]
    final = [step for step in done if not can_be_done_again(procedure, journal, step)]
    read = {name for step in final for name in rests_on(step, settings)}
    return {
        field.name
        for field in fields(settings)
        if not field.metadata["becomes"]
        if (field.metadata["frozen"] and done) or (field.name in read and not field.metadata["free"])
    }


def rests_on(step: Step, settings: Any) -> set[str]:
    """The names of the settings that a step reads."""
    seen = set[str]()
    names = {field.name for field in fields(settings)}

    def watching(self: Any, name: str) -> Any:
        if name in names:
            seen.add(name)
        return object.__getattribute__(self, name)

    kind = type(settings)
    watched: Any = object.__new__(type(kind.__name__, (kind,), {"__getattribute__": watching}))
    vars(watched).update(vars(settings))
    singles(step.actions(watched))
    return seen


def can_be_done_again(procedure: Procedure, journal: Record, step: Step) -> bool:
    """Whether nothing was changed since that rests on the step: until its phase is left, and never where it is `once`."""
    if step.once or journal.last("finished"):
        return False
    later = procedure.steps[procedure.steps.index(step) :]
    names = {one.name for one in later if one.phase != step.phase}
    return not any(step_of(line) in names and changes_a_server(line) for line in journal.events("started"))


def proven(journal: Record) -> Line | None:
    """The line with the settings under which the run last did anything; before that, those it was opened with."""
    did = journal.last("step done") or journal.last("step started")
    return _opened_before(journal, did) if did else journal.last("opened")


def _proven(procedure: Procedure, journal: Record) -> Iterator[tuple[Step, Line]]:
    """Each step that stands done, with the line of the settings under which it was."""
    for step in procedure.steps:
        done = [line for line in journal.events("step done") if step_of(line) == step.name]
        standing = [line for line in done if journal.stands(line)]
        if standing and (opened := _opened_before(journal, standing[-1])):
            yield step, opened


def _opened_before(journal: Record, line: Line) -> Line | None:
    opened = [one for one in journal.events("opened") if one["number"] < line["number"]]
    return opened[-1] if opened else None


def _differs(field: Field[Any], before: Any, now: Any) -> bool:
    if not field.metadata["file"]:
        return bool(before != redact.facts(now))
    former, latter = (Path(one).expanduser().absolute() for one in (before, now))
    elsewhere = not former.exists() and latter.exists()  # the run goes on at another machine
    return former != latter and not elsewhere
