"""How far a run goes at a time: to the end, or to where it may stop when its window closes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from bmnb.journal import Journal, step_of
from bmnb.steps import Procedure


class Course:
    """The phases of a procedure, by their names, up to the one that is wanted; all where it is empty."""

    def __init__(self, procedure: Procedure, through: str = "") -> None:
        self.through, every = through, procedure.phases
        names = [phase.name for phase in every]
        self.phases = names[: names.index(through) + 1] if through else names
        self.downtime = {phase.name for phase in every if phase.downtime} & set(self.phases)
        repeated = procedure.synchronizations
        self._passes = repeated[0].phase.name if repeated else ""
        self._steps = {
            name: {step.name for step in procedure.steps if step.phase.name == name} for name in names
        }

    def stops(self, bounded: bool) -> list[str]:
        """The phases after which a run ends, to be taken up again.

        Within a window that is every phase, but not where users are cut off: from there it goes on until
        the service answers.
        """
        inside = {one for one, after in pairwise(self.phases) if {one, after} <= self.downtime}
        return [one for one in self.phases if one not in inside] if bounded else self.phases[-1:]

    def left(self, reached: str) -> list[str]:
        """The phases after one that is done; it may lie behind the last that is wanted."""
        if reached and reached not in self.phases:
            return []
        return self.phases[self.phases.index(reached) + 1 :] if reached else self.phases

    def following(self, reached: str, bounded: bool) -> str:
        """The phase through which a run goes next; empty where what is wanted was reached."""
        left = self.left(reached)
        return next((one for one in self.stops(bounded) if one in left), "")

    def done(self, folder: Path) -> str:
        """The last phase that is done, with all before it, by a run's journal; empty where none is."""
        journal = Journal(folder / "journal.jsonl")
        done = {step_of(line) for line in journal.events("step done") if journal.stands(line)}
        reached = ""
        for phase, steps in self._steps.items():
            if not steps <= done or journal.last("rolled back"):
                break
            reached = phase
        return reached

    def before_passes(self, reached: str) -> str:
        """The phase before that of the hot passes where this one is the last that is done; else the same."""
        order = ["", *self._steps]
        return order[order.index(reached) - 1] if reached and reached == self._passes else reached

    def further(self, one: str, other: str) -> str:
        """The later of two phases; empty is before all."""
        order = ["", *self._steps]
        return max(one, other, key=order.index)

    def seconds(self, reached: str, past: Mapping[str, list[float]]) -> float | None:
        """How long the phases that are left took at the most in past runs; None where a step has no past.

        A repeated step counts as one pass.
        """
        steps = {step for phase in self.left(reached) for step in self._steps[phase]}
        return sum(max(past[step]) for step in steps) if past.keys() >= steps else None
