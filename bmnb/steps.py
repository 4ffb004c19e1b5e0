"""What a procedure is made of: steps that yield actions and touch nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """How a command line ended on a server. `seconds` is wall time; `stdout` and `stderr` are text.

    Of long outputs only the end is kept (see `remote`); `exit` is None when nobody knows how it ended.
    """

    host: str
    line: str
    exit: int | None
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.exit == 0


@dataclass(frozen=True)
class Verdict:
    """Whether what was observed is what must hold, and what was seen, in one line.

    `items` make a table of their own; `row` is what was counted, as columns of the report's tables, `parts` the same for
    each table of a database. What could not
    be looked at is not `made`: it neither holds nor says that something is wrong. Where the items tell what changes
    by itself, `accepting` is what somebody accepts with them; of an empty text nothing can be accepted. What waiting
    cannot change is `final`.
    """

    holds: bool
    seen: str
    items: tuple[Row, ...] = ()
    row: Row = field(default_factory=dict)
    parts: tuple[Row, ...] = ()
    made: bool = True
    accepting: str | None = None
    final: bool = False

    @classmethod
    def unmade(cls, why: str) -> Verdict:
        return cls(False, f"could not be made: {why}", made=False)


@dataclass(frozen=True)
class Condition:
    """An action is skipped, with `otherwise` as the reason, where `line` ends with 1 on `host`."""

    host: str
    line: str
    otherwise: str


@dataclass(frozen=True)
class Gauge:
    """Lines that measure, on a command's own server, how far it has come: they print the bytes by now, all
    there will be where that is known, and what it is at, in words. A line that fails tells nothing."""

    done: str = ""
    total: str = ""
    at: str = ""


@dataclass(frozen=True)
class Command:
    """Changes a server: a command line that runs there in a unit of its own.

    `env` goes before the line; `text` is its input, or `feed`, a (host, line) with that output; `accept` are
    the exit statuses that count as done, `again` those after which it is started once more, a few times,
    each on record; `read` makes table columns from the result, `parts` a row for each tree or table of a database.
    `ensure` repeats it at every resume of an unfinished step; where it is known what it must have changed, `proof`
    holds once it has, and without that it is repeated however it ended. `moves_to` is the address at which the server
    is contacted from then on, or its own name for the usual one, `moves_via` the server through which it
    is. After a `farewell` it is out of reach where it was, or at all, so that its success is for the next
    check to prove.
    """

    host: str
    line: str
    title: str = ""
    when: Condition | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    feed: tuple[str, str] | None = None
    accept: tuple[int, ...] = (0,)
    again: tuple[int, ...] = ()
    read: Callable[[Result], Row] | None = None
    parts: Callable[[Result], Sequence[Row]] | None = None
    remedy: str = ""
    gauge: Gauge | None = None
    ensure: bool = False
    proof: Condition | None = None
    farewell: bool = False
    moves_to: str = ""
    moves_via: str = ""

    @property
    def script(self) -> str:
        """The line with its environment, as bash gets it."""
        return "".join(f"export {name}='{value}'\n" for name, value in self.env.items()) + self.line


ANY = tuple(range(256))
TRUE_OR_FALSE = (0, 1)
"""How a test of the shell, grep or diff ends that could be made."""


@dataclass(frozen=True)
class Check:
    """Observes one or more servers and states what must hold; `judge` gets one Result per server.

    `patience` is how many seconds it may take until it holds; `line` may be one per server; `text` is its input, or
    `feed`, a (host, line) with that output. What does not hold may be accepted where `decision` names the key of an answer: the sum of the items seen, who accepts
    them, why.
    `reopens` is the name of an earlier step: where this does not hold, what that one and those after it have
    proven no longer counts, and they are done again.
    `answers` are the exit statuses with which a line answers, ANY where the judge looks at that itself; after
    another one the check could not be made, and the judge is not asked.
    `at` is an address at which the servers are contacted for this check alone, `via` the server through which: that
    it is made proves whose that is.
    """

    host: str | tuple[str, ...]
    line: str | tuple[str, ...]
    judge: Callable[..., Verdict]
    title: str = ""
    remedy: str = ""
    when: Condition | None = None
    patience: float = 0.0
    decision: str = ""
    reopens: str = ""
    answers: tuple[int, ...] = (0,)
    text: str = ""
    feed: tuple[str, str] | None = None
    at: str = ""
    via: str = ""

    @property
    def observations(self) -> list[tuple[str, str]]:
        """(host, line) of each observation."""
        hosts = (self.host,) if isinstance(self.host, str) else self.host
        lines = (self.line,) * len(hosts) if isinstance(self.line, str) else self.line
        return list(zip(hosts, lines, strict=True))


@dataclass(frozen=True)
class Call:
    """A request to the API of BlueMind's core on its server.

    `change` makes the body from the current value, which is read first with GET at the same path.
    With `task` the answer is a task, and the call is done when the task has succeeded.
    """

    host: str
    method: str
    path: str
    title: str = ""
    body: Any = None
    change: Callable[[Any], Any] | None = None
    task: bool = False
    judge: Callable[[Any], Verdict] | None = None
    remedy: str = ""
    when: Condition | None = None
    patience: float = 0.0

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Manual:
    """What only a person can do or decide. `key` names its answer in the client file or the form.

    With `expect` the answer must be that very word (the name of the server that loses service or
    data); without, it says who did it, and how that can be seen. Where there is a `look`, a line on the server,
    what `tell` makes of it stands beside the question, and on record with the answer.
    """

    host: str
    key: str
    title: str
    expect: str = ""
    when: Condition | None = None
    look: str = ""
    tell: Callable[[Result], str] | None = None

    @property
    def line(self) -> str:
        return self.title


@dataclass(frozen=True)
class Together:
    """Actions that run side by side."""

    actions: tuple[Command, ...]


Single = Command | Check | Call | Manual
Action = Single | Together


def kind(action: Single) -> str:
    """Command, check, call or manual, as plan and journal call it."""
    return type(action).__name__.lower()


@dataclass(frozen=True)
class Deviation:
    """Where a procedure does otherwise than its document, in Markdown, and why."""

    document: str
    here: str
    reason: str


@dataclass(frozen=True)
class Phase:
    """A part of a procedure with its own heading in the document; `downtime` when users are cut off.

    `back` is what the way back from within it does, `price` what that costs.
    """

    title: str
    downtime: bool = False
    back: str = ""
    price: str = ""

    @property
    def name(self) -> str:
        return slug(self.title)


ROLLBACK = Phase("Rollback")
"""The way back, which is a phase of no document."""


@dataclass(frozen=True)
class Step:
    """One thing a phase does. `once` must never be repeated in silence.

    `passes` tells by the settings how often the step is done at least; it may be repeated then. `undo` yields
    the actions of the way back; they must hold also where the step was only begun.
    """

    title: str
    phase: Phase
    actions: Callable[[Any], Iterator[Action]]
    once: bool = False
    passes: Callable[[Any], int] | None = None
    undo: Callable[[Any], Iterator[Action]] | None = None

    @property
    def name(self) -> str:
        return self.actions.__name__.replace("_", "-")


@dataclass(frozen=True)
class Procedure:
    """One document as code: its settings, its steps in order, and where they deviate from the document.

    `left` tells by the settings what is left for people to do when all steps are done, a sentence each.
    `synchronizations` are the one that is repeated while the service is up, and the last one, without it.
    """

    title: str
    settings: type
    steps: tuple[Step, ...]
    deviations: tuple[Deviation, ...] = ()
    left: Callable[[Any], Iterator[str]] | None = None
    synchronizations: tuple[Step, Step] | None = None

    @property
    def name(self) -> str:
        return slug(self.title)

    @property
    def phases(self) -> list[Phase]:
        return list(dict.fromkeys(step.phase for step in self.steps))


def step(
    title: str,
    phase: Phase,
    *,
    once: bool = False,
    passes: Callable[[Any], int] | None = None,
    undo: Callable[[Any], Iterator[Action]] | None = None,
) -> Callable[[Callable[[Any], Iterator[Action]]], Step]:
    """Make a step of a function that yields the actions for given settings."""

    def declare(actions: Callable[[Any], Iterator[Action]]) -> Step:
        return Step(title, phase, actions, once, passes, undo)

    return declare


def singles(actions: Iterator[Action]) -> list[Single]:
    """The actions of a step one by one, those of a Together in their order."""
    return [
        one for action in actions for one in (action.actions if isinstance(action, Together) else [action])
    ]


def slug(title: str) -> str:
    """A title as it stands in commands and file names, letters without their accents."""
    plain = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
