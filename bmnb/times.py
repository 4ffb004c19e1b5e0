"""Durations and moments as a person writes them: 90s, 30m, 1h30m; 2026-12-05T22:00."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?:in)?)?(?:(\d+)s)?")
SECONDS = (86400, 3600, 60, 1)


def duration(text: str) -> float:
    """Seconds. Raise ValueError where it is none, or nothing."""
    found = DURATION.fullmatch(text.replace(" ", ""))
    seconds = (
        sum(int(part or 0) * unit for part, unit in zip(found.groups(), SECONDS, strict=True)) if found else 0
    )
    if not seconds:
        raise ValueError(f"{text!r} is no duration like 30m, 1h30m or 90s")
    return float(seconds)


def moment(value: Any) -> datetime:
    """A time; one without a zone is this machine's. Raise ValueError where it is none."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is no time like 2026-01-31 22:00") from None
    return found.astimezone()
