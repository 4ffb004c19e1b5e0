"""Two runs side by side: the rehearsal and the real night."""

from __future__ import annotations

from bmnb.report.facts import Facts, name_of
from bmnb.report.wording import Seconds, Word
from bmnb.steps import Row


def compare(mine: Facts, other: Facts) -> list[Row]:
    """A row a step, and one for the downtime: how long it took in each run, and the difference."""
    here, there = _seconds(mine), _seconds(other)
    titles = {step.name: step.title for step in (*mine.procedure.steps, *other.procedure.steps)}
    rows = [
        _row(titles[name], here.get(name), there.get(name))
        for name in titles
        if name in here or name in there
    ]
    return [*rows, _row("Downtime", mine.downtime, other.downtime)]


def _seconds(facts: Facts) -> dict[str, Seconds]:
    """Seconds of each step, all its passes and attempts together."""
    found: dict[str, Seconds] = {}
    for part in facts.stretches:
        name = name_of(part.step)
        found[name] = Seconds(found.get(name, 0.0) + part.seconds)
    return found


def _row(title: str, here: Seconds | None, there: Seconds | None) -> Row:
    difference = None if here is None or there is None else Seconds(here - there)
    return {
        "step": Word(title),
        "this run": here,
        "the other run": there,
        "difference": difference,
    }
