"""How long BlueMind's services took to start, and to stop, the last time: systemd keeps it of the time since the boot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bmnb.steps import Result, Verdict

STARTS, STOPS = "starts in", "stops in"
"""Columns of what was counted, in seconds."""

SHOW = (
    "systemctl show --property=Id,InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic,"
    "ActiveExitTimestampMonotonic,InactiveEnterTimestampMonotonic bluemind.target 'bm-*.service'"
)

APART = 5.0
"""A service that started so many seconds before all that came with the target was started by itself."""


class Times(NamedTuple):
    """Seconds since the boot when a unit left each state and was in the next one; 0 where it never did."""

    leaves_rest: float
    is_up: float
    leaves_service: float
    is_down: float


def tell(shown: Result) -> Verdict:
    """What systemd knows of the last start, and of the last stop before it. It holds whatever that is."""
    if not shown.ok:
        return Verdict.unmade((shown.stderr.strip().splitlines() or ["systemd tells nothing"])[-1])
    units = dict(_units(shown.stdout))
    target = units.pop("bluemind.target", None)
    row = {}
    if target and target.is_up:
        row = {STARTS: _start(target, list(units.values())), STOPS: _stop(target, list(units.values()))}
    known = {name: round(seconds, 1) for name, seconds in row.items() if seconds}
    told = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in known.items())
    return Verdict(True, told or "systemd has no record of it", row=known)


def _units(text: str) -> Iterator[tuple[str, Times]]:
    for block in text.split("\n\n"):
        told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        times = [told.get(f"{name}TimestampMonotonic", "") for name in ORDER]
        if "Id" in told and all(one.isdecimal() for one in times):
            yield told["Id"], Times(*(int(one) / 1e6 for one in times))


ORDER = ("InactiveExit", "ActiveEnter", "ActiveExit", "InactiveEnter")


def _start(target: Times, services: list[Times]) -> float:
    """From the first service that came up with the target, which systemd has up after all of them."""
    began = target.is_up
    for one in sorted(services, key=lambda one: one.is_up, reverse=True):
        if one.leaves_rest and began - APART <= one.is_up <= target.is_up:
            began = min(began, one.leaves_rest)
    return target.is_up - began


def _stop(target: Times, services: list[Times]) -> float:
    """From the target's end, which systemd stops first, to that of the last service before the next start."""
    ends = [
        one.is_down
        for one in services
        if target.leaves_service
        and target.leaves_service <= one.leaves_service <= one.is_down <= target.is_up
    ]
    return max(ends, default=target.leaves_service) - target.leaves_service
