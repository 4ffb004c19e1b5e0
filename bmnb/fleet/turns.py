"""Whose turn it is: a pure reading of what is known of the clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bmnb.fleet.store import DONE, PLANNED, STARTED, Client
from bmnb.fleet.wishes import Wishes


@dataclass(frozen=True)
class Candidate:
    """A client with its wishes, where its next leg leads, and how long that takes, in seconds where known.

    `again` is the earliest time for another attempt.
    """

    client: Client
    wishes: Wishes
    leg: str
    windowed: bool = False
    seconds: Callable[[], float | None] = lambda: None
    again: datetime | None = None


@dataclass(frozen=True)
class Turn:
    """Who starts now, whose window is missed and why, why the others wait, and when to look again."""

    start: tuple[Candidate, ...]
    missed: Mapping[str, str]
    held: Mapping[str, str]
    later: bool


def turn(candidates: Sequence[Candidate], now: datetime, free: int, limits: Mapping[str, int]) -> Turn:
    """Decide. Those that are in their course go first, then by priority, then in the order they were named."""
    states = {one.client.name: one.client.state for one in candidates}
    busy = Counter(group for one in candidates if one.client.state == STARTED for group in one.wishes.groups)
    start, missed, held, later = list[Candidate](), dict[str, str](), dict[str, str](), False
    for one in sorted(candidates, key=_rank):
        if one.client.state != PLANNED:
            continue
        name = one.client.name
        if text := _too_late(one, now):
            missed[name] = text
        elif text := _out_of_order(one, states):
            held[name] = text
            later |= any(states[other] in (PLANNED, STARTED) for other in one.wishes.after)
        elif text := _too_early(one, now):
            held[name], later = text, True
        elif len(start) >= free or _full(one, busy, limits):
            later = True
        elif text := _does_not_fit(one, now):
            missed[name] = text
        else:
            start.append(one)
            busy.update(one.wishes.groups)
    return Turn(tuple(start), missed, held, later)


def _rank(one: Candidate) -> tuple[bool, int, int]:
    return not one.client.reached, -one.wishes.priority, one.client.place


def _too_late(one: Candidate, now: datetime) -> str:
    until = one.wishes.not_after
    if not one.windowed or until is None or now < until:
        return ""
    return f"its window closed at {clock(until)}; what comes next: {one.leg}"


def _out_of_order(one: Candidate, states: Mapping[str, str]) -> str:
    waits = [other for other in one.wishes.after if states[other] != DONE]
    return f"comes after {', '.join(f'{other} ({states[other]})' for other in waits)}" if waits else ""


def _too_early(one: Candidate, now: datetime) -> str:
    begin = one.wishes.not_before
    if one.windowed and begin is not None and now < begin:
        return f"its window opens at {clock(begin)}"
    return f"is tried again at {clock(one.again)}" if one.again is not None and now < one.again else ""


def _full(one: Candidate, busy: Counter[str], limits: Mapping[str, int]) -> bool:
    return any(busy[group] >= limits[group] for group in one.wishes.groups if group in limits)


def _does_not_fit(one: Candidate, now: datetime) -> str:
    until = one.wishes.not_after
    seconds = one.seconds() if one.windowed and until is not None else None
    if seconds is None or until is None or now + timedelta(seconds=seconds) <= until:
        return ""
    return f"no longer fits: it takes {seconds / 60:.0f} min, and its window closes at {clock(until)}"


def clock(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
