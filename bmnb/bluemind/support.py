"""When BlueMind's packages were updated last, and until when that is supported: clients update at least once a year."""

from __future__ import annotations

from datetime import UTC, date, datetime

from bmnb.steps import Result, Verdict

UPDATED = "last update"
"""The column of the report's tables."""

LINE = "stat -c %Y /var/lib/dpkg/info/bm-core.list 2> /dev/null || rpm -q --qf '%{INSTALLTIME}\\n' bm-core | tail -n 1"
"""A line that prints when the core's packages were installed, in seconds since 1970."""


def told(seen: Result) -> Verdict:
    """Always holds: it is for whoever plans the updates."""
    day = datetime.fromtimestamp(int(seen.stdout), UTC).date()
    over = until(day) < date.today()
    text = f"updated on {day}, more than a year ago: an update is due" if over else f"updated on {day}"
    return Verdict(True, text, row={UPDATED: str(day)})


def until(updated: date) -> date:
    """The same day a year later."""
    try:
        return updated.replace(year=updated.year + 1)
    except ValueError:
        return date(updated.year + 1, 3, 1)
