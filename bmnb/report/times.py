"""Where an axis of time has its ticks, and what stands at them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

MINUTE, HOUR, DAY = 60, 3_600, 86_400
STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(MINUTE * number for number in (1, 2, 5, 10, 15, 30)),
    *(HOUR * number for number in (1, 2, 3, 6, 12)),
    *(DAY * number for number in (1, 2, 7, 14, 30, 90, 365)),
)
"""Seconds between two ticks."""
MOST = 9


def ticks(begin: datetime, end: datetime, zone: tzinfo | None) -> list[tuple[float, list[str]]]:
    """Round times between two moments as seconds since 1970, with the time of a zone; its date where it is another.

    The texts are digits alone, whatever the language.
    """
    span = (end - begin).total_seconds()
    step = next((one for one in STEPS if span / one <= MOST), STEPS[-1])
    found, day = [], ""
    for moment in _round(begin.astimezone(zone), end, step):
        time, date = moment.strftime("%H:%M:%S" if step < MINUTE else "%H:%M"), moment.strftime("%Y-%m-%d")
        lines = [date] if step >= DAY else [time, *([date] if date != day else [])]
        found.append((moment.timestamp(), lines))
        day = date
    return found


def _round(begin: datetime, end: datetime, step: int) -> Iterator[datetime]:
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    moment = midnight + timedelta(seconds=-(-(begin - midnight).total_seconds() // step) * step)
    while moment <= end:
        yield moment
        moment += timedelta(seconds=step)
