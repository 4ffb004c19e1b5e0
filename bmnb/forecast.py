"""How long users will be cut off: the hot passes tell of the files, past runs of the rest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bmnb.errors import BmnbError
from bmnb.journal import Journal
from bmnb.language import _
from bmnb.ledger import downtime_seconds, files_seen, step_seconds
from bmnb.own_time import OwnTime, taken
from bmnb.steps import Phase, Procedure, Row, Step
from bmnb.stretches import Span, seconds_in, spans_by_step


@dataclass(frozen=True)
class Forecast:
    """Seconds of the last synchronization, shortest and longest, and what one more hot pass would save."""

    shortest: float
    longest: float
    saved: float


def synchronization(passes: Sequence[Row], now: datetime) -> Forecast | None:
    """Forecast the next pass. None where no pass but the first, which copies everything, went through at one start.

    A pass that was interrupted tells no duration. A pass takes a fixed time, in which both sides are compared, and a
    time for what users changed since the pass before began. The fixed time is that of the pass with the fewest
    changes, less its changes at the rate of the first pass, or all of it where that one was interrupted; users are
    taken to go on as slowly and as fast as they did.
    """
    begun = [_began(one) for one in passes]
    later = [
        (one, after - before)
        for one, before, after in zip(passes[1:], begun, begun[1:], strict=False)
        if is_sound(one)
    ]
    if not later:
        return None
    first = passes[0]
    rate = max(1.0, first["changed bytes"] / max(first["seconds"], 0.1)) if is_sound(first) else math.inf
    fixed = min(max(0.0, one["seconds"] - one["changed bytes"] / rate) for one, _ in later)
    busy = [max(0.0, one["seconds"] - fixed) / max(1.0, between) for one, between in later]
    waited = now.timestamp() - begun[-1]
    shortest, longest = (fixed + share * waited for share in (min(busy), max(busy)))
    middle = (min(busy) + max(busy)) / 2
    another = fixed + middle * waited
    return Forecast(shortest, longest, max(0.0, another - (fixed + middle * another)))


def is_sound(one: Row) -> bool:
    """Whether a pass went through at one start."""
    return bool(one.get("starts", 1) == 1)


def past_seconds(procedure: Procedure, folder: Path, own: bool = True) -> dict[str, list[float]]:
    """How many seconds each step took in the other runs of this procedure beside a run's folder.

    Without its `own`, those that BlueMind itself took to stop and to start do not count.
    """
    journals = list(_beside(procedure, folder))
    found = {
        step.name: [s for one in journals for s in _past(procedure, one, step, own)]
        for step in procedure.steps
    }
    return {name: seconds for name, seconds in found.items() if seconds}


def _past(procedure: Procedure, journal: Journal, step: Step, own: bool) -> list[float]:
    less = 0.0 if own or not step.phase.downtime else max(taken(journal, step.name), default=0.0)
    return [max(0.0, one - less) for one in step_seconds(journal, step.name)]


def expected(procedure: Procedure, journal: Journal, folder: Path, own: OwnTime) -> dict[str, Any]:
    """What the finished run beside a run's folder that is nearest to it in size took.

    The name of that run, seconds of each of its phases by name, and of its downtime; empty where there is none. The
    downtime is that run's but for what BlueMind itself takes to stop and to start, which is this client's `own` where
    it was measured.
    """
    beside = _beside(procedure, folder)
    finished = [one for one in beside if one.last("finished") and downtime_seconds(procedure, one)]
    if not finished:
        return {}
    nearest = min(finished, key=lambda one: abs(files_seen(one) - files_seen(journal)))
    took: dict[str, list[Span]] = {step.name: [] for step in procedure.steps}
    for label, spans in spans_by_step(nearest.lines).items():
        took.setdefault(label.split(".")[0], []).extend(spans)
    theirs = sum(
        max(taken(nearest, step.name), default=0.0) for step in procedure.steps if step.phase.downtime
    )
    downtime = downtime_seconds(procedure, nearest) or 0.0
    return {
        "run": nearest.path.parent.name,
        "downtime": downtime if own.known is None else max(0.0, downtime - theirs) + own.known,
        "phases": {
            phase.name: seconds_in(
                span for step in procedure.steps if step.phase == phase for span in took[step.name]
            )
            for phase in procedure.phases
        },
    }


def _beside(procedure: Procedure, folder: Path) -> Iterator[Journal]:
    """The journals of the procedure's other runs; one that was changed tells nothing."""
    here = folder.resolve()
    for path in sorted(here.parent.glob(f"*-{procedure.name}*/journal.jsonl")):
        if path.parent != here:
            with suppress(BmnbError):
                yield Journal(path)


@dataclass(frozen=True)
class Ahead(Forecast):
    """The same of the downtime; not `whole` where it is that of the files alone, since no past run tells of the rest."""

    whole: bool

    def __str__(self) -> str:
        text = _("Expected for the files in the cold synchronization: {minutes}.")
        if self.whole:
            text = _("Expected downtime: {minutes}.")
        return text.format(minutes=minutes(self.shortest, self.longest))


def downtime(
    procedure: Procedure, cold: Step, passes: Sequence[Row], past: Mapping[str, list[float]], own: OwnTime
) -> Ahead | None:
    """The downtime if it began now; `cold` is the last synchronization. None where the passes tell too little.

    Where this client's `own` time is known, `past` is without that of past runs.
    """
    seen = synchronization(passes, datetime.now(UTC))
    if seen is None:
        return None
    # the last one was under way beside the users' work, and the next one need not be faster
    last = next(one["seconds"] for one in reversed(passes) if is_sound(one))
    longest = max(seen.longest, last)
    others = [step.name for step in procedure.steps if step.phase.downtime and step != cold]
    if not past.keys() >= set(others):
        return Ahead(seen.shortest, longest, seen.saved, whole=False)
    least, most = (sum(bound(past[name]) for name in others) + (own.known or 0.0) for bound in (min, max))
    return Ahead(seen.shortest + least, longest + most, seen.saved, whole=True)


def sentence(
    procedure: Procedure,
    cold: Step,
    passes: Sequence[Row],
    past: Mapping[str, list[float]],
    own: OwnTime,
    look: float = 0.0,
) -> str:
    """What the operator needs to know before the service is stopped, from what `downtime` is told.

    `look` is how many seconds of the downtime the look at every name takes, where it could come after the switch.
    """
    seen = downtime(procedure, cold, passes, past, own)
    if seen is None and len(passes) > 1:
        return _(
            "A forecast needs a hot synchronization after the first one that was not interrupted: make another."
        )
    if seen is None:
        return _("A forecast needs two hot synchronizations: the first one copies everything.")
    saves = _("Another hot pass now saves about {minutes}.").format(minutes=minutes(seen.saved, seen.saved))
    services = _of_services(own)
    if not seen.whole:
        unknown = _("How long the rest of the downtime takes is not known: no past run lies beside this one.")
        return " ".join([str(seen), *services, unknown, saves, *_offer(look, None)])
    return " ".join([str(seen), *services, saves, *_offer(look, seen.longest)])


LONG_LOOK = 60.0


def _offer(look: float, longest: float | None) -> Iterator[str]:
    """The proof after the switch, where the look at every name takes more than a minute."""
    if look <= LONG_LOOK:
        return
    took = minutes(look, look)
    if longest is None:
        text = _("Looking at every name took {look}, which the downtime is spared with `verify: after`.")
        yield text.format(look=took)
        return
    text = _(
        "Looking at every name took {look}: the downtime is up to {longest} with `verify: before`, and about {shorter} "
        "with `verify: after`, which proves the whole copy once the target serves."
    )
    shorter = max(0.0, longest - look)
    yield text.format(look=took, longest=minutes(longest, longest), shorter=minutes(shorter, shorter))


def _of_services(own: OwnTime) -> Iterator[str]:
    """What BlueMind itself takes of the downtime on this client's servers, and what of it is not known."""
    if own.start is None:
        yield _("How long BlueMind takes to start is not known: neither server has a record of it.")
    else:
        text = _("BlueMind takes {seconds} to start, as measured on these servers.")
        yield text.format(seconds=minutes(own.start, own.start))
    if own.stop is None:
        yield _("How long it takes to stop is not known.")
        return
    stop = minutes(own.stop, own.stop)
    if own.elsewhere:
        text = _(
            "The target, with hardly any data, took {seconds} to stop; the origin has no record of its own."
        )
        yield text.format(seconds=stop)
        return
    yield _("The origin took {seconds} to stop the last time.").format(seconds=stop)


def ahead(procedure: Procedure, phase: Phase, past: Mapping[str, list[float]]) -> str:
    """What stops working in a phase, and how long it took in past runs."""
    stops = cut_off(phase)
    steps = [step.name for step in procedure.steps if step.phase == phase]
    if not past.keys() >= set(steps):
        return f"{stops} {_('How long it takes is not known: no past run lies beside this one.')}"
    shortest, longest = (sum(bound(past[name]) for name in steps) for bound in (min, max))
    took = _("In past runs it took {minutes}.").format(minutes=minutes(shortest, longest))
    return f"{stops} {took}"


def cut_off(phase: Phase) -> str:
    return (
        _("Users are cut off in this phase.") if phase.downtime else _("Users go on working in this phase.")
    )


def outlook(procedure: Procedure, past: Mapping[str, list[float]]) -> str:
    """The same of all phases, as a list in Markdown."""
    known = any(
        past.keys() >= {step.name for step in procedure.steps if step.phase == one}
        for one in procedure.phases
    )
    told = [ahead(procedure, one, past) if known else cut_off(one) for one in procedure.phases]
    lines = [f"- **{_(one.title)}**: {text}" for one, text in zip(procedure.phases, told, strict=True)]
    unknown = [] if known else ["", _("How long it takes is not known: no past run lies beside this one.")]
    return "\n".join([*lines, *unknown])


def minutes(shortest: float, longest: float) -> str:
    """A range in minutes, in seconds where it is short."""
    unit, divisor = ("min", 60.0) if longest >= 120 else ("s", 1.0)
    low, high = round(shortest / divisor), max(1, round(longest / divisor))
    return f"{high} {unit}" if shortest == longest or low >= high else f"{low}–{high} {unit}"


def _began(one: Row) -> float:
    if "began" in one:
        return _moment(one["began"])
    return _moment(one["ended"]) - float(one["seconds"])


def _moment(clock: object) -> float:
    return datetime.fromisoformat(str(clock)).replace(tzinfo=UTC).timestamp()
