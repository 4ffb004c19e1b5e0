"""Faults left to chance: in which step of a run each strikes, at which line of its journal, and what it does.

A number has always the same faults. Numbers that follow one another share the steps out among them, so that none is
spared.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.settings import make
from bmnb.steps import Step, singles

ENGINES = ("fast", "literal")
EACH_WAY = 3
"""How many faults strike on the way there; on the way back it is one less."""
SETTINGS = {"client": "test", "origin": "origin", "target": "target", "address": "192.0.2.1"}

CONTROLLER = ("command killed", "kernel killed", "Ctrl-C", "SIGTERM", "disk full", "clock jumps")
SERVER = (
    *("restarts", "PostgreSQL killed", "work killed", "program killed", "ssh killed", "line cut"),
    *("/var/lib/bmnb read-only", "/tmp full", "clock jumps"),
)
KINDS = (
    *((kind, "controller") for kind in CONTROLLER),
    *((kind, server) for kind in SERVER for server in ("origin", "target")),
    *((("restarts", "both"), ("line cut", "both"))),
)


@dataclass(frozen=True)
class Strike:
    """A fault that comes so many seconds after the journal has a number of lines of a step; it lasts for seconds."""

    step: str
    lines: int
    kind: str
    where: str
    wait: float
    lasts: float

    def __str__(self) -> str:
        return f"{self.step} line {self.lines} + {self.wait} s: {self.where} {self.kind}, {self.lasts} s"


@dataclass(frozen=True)
class Trial:
    """A run with one of the engines, the faults on its way and, where it is rolled back, on the way back."""

    number: int
    engine: str
    forth: tuple[Strike, ...]
    back: tuple[Strike, ...] | None

    def __str__(self) -> str:
        told = [f"BMNB_SEED={self.number} {self.engine}", *map(str, self.forth)]
        return "\n  ".join(told if self.back is None else [*told, "and back:", *map(str, self.back)])


def trial(number: int) -> Trial:
    """Each third one is rolled back after its last fault."""
    chance, engine = random.Random(number), ENGINES[number % 2]
    steps = to_do(engine)
    # those of one engine are every second number
    dealt = _dealt([one.name for one in steps], number // 2, engine)
    forth = tuple(_strike(chance, name, _length(name)) for name in dealt)
    if number % 3:
        return Trial(number, engine, forth, None)
    last = [one.name for one in steps].index(forth[-1].step)
    undone = [one for one in reversed(steps[: last + 1]) if one.undo]
    chosen = sorted(chance.sample(range(len(undone)), min(len(undone), EACH_WAY - 1)))
    back = tuple(_strike(chance, _undo(undone[one]), 8) for one in chosen)
    return Trial(number, engine, forth, back)


@cache
def to_do(engine: str) -> tuple[Step, ...]:
    """The steps that do something, from the first that changes a server on."""
    settings: Any = make(PROCEDURE.settings, {**SETTINGS, "engine": engine})
    return tuple(one for one in PROCEDURE.steps[1:] if any(one.actions(settings)))


def _dealt(names: Sequence[str], number: int, engine: str) -> list[str]:
    """Some steps in their order, so that all have been dealt before one is dealt again."""
    rounds = -(-len(names) // EACH_WAY)
    cards = list(names)
    random.Random(f"{engine} {number // rounds}").shuffle(cards)
    place = number % rounds * EACH_WAY
    return sorted(cards[place : place + EACH_WAY], key=names.index)


@cache
def _length(name: str) -> int:
    """About how many lines the step has in a journal: one before and one after each action, and its own."""
    [step] = [one for one in PROCEDURE.steps if one.name == name]
    settings: Any = make(PROCEDURE.settings, SETTINGS)
    return 2 + 2 * len(singles(step.actions(settings)))


def _undo(step: Step) -> str:
    return "" if step.undo is None else step.undo.__name__.replace("_", "-")


def _strike(chance: random.Random, step: str, length: int) -> Strike:
    kind, where = chance.choice(KINDS)
    wait, lasts = round(chance.uniform(0, 0.4), 2), round(chance.uniform(1, 9), 1)
    return Strike(step, chance.randint(1, length), kind, where, wait, lasts)
