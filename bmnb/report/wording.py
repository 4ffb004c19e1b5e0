"""Values of a report's tables, and how the language in use writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from babel.dates import format_datetime
from babel.numbers import format_decimal

from bmnb.language import _, current
from bmnb.phrases import phrase
from bmnb.plain import plain


class Word(str):
    """A text of ours, which is translated; other texts are shown as they were seen."""


class Code(str):
    """A command line."""


class Seconds(float):
    """A duration."""


class Bytes(int):
    """A size."""


class Rate(float):
    """Bytes per second."""


def number(value: float, digits: int = 1) -> str:
    """A number with grouped thousands; `digits` after the point of what is not whole."""
    whole = isinstance(value, int) or float(value).is_integer()
    return str(format_decimal(value, "#,##0" if whole else f"#,##0.{'#' * digits}", locale=current()))


def duration(seconds: float) -> str:
    """Seconds as a person says them: 12.4 s, 2 min 5 s, 1 h 2 min."""
    if seconds < 60:
        return f"{number(round(seconds, 1))} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(count: float) -> str:
    """Bytes in powers of 1000."""
    units = [_("B"), _("kB"), _("MB"), _("GB"), _("TB")]
    for unit in units:
        if count < 1000 or unit is units[-1]:
            break
        count /= 1000
    return f"{number(round(count, 1 if count < 100 else 0))} {unit}"


def clock(moment: datetime) -> str:
    """Date and time with seconds, in the zone that the moment carries."""
    return str(format_datetime(moment, _("y-MM-dd HH:mm:ss"), tzinfo=moment.tzinfo, locale=current()))


def zone(moment: datetime) -> str:
    """The moment's zone as its distance from UTC."""
    return f"UTC{moment.isoformat()[-6:]}" if moment.utcoffset() else "UTC"


def universal(moment: datetime) -> str:
    """A moment in its own zone, and in UTC where that is another one."""
    other = f" ({clock(moment.astimezone(UTC))} UTC)" if moment.utcoffset() else " UTC"
    return clock(moment) + other


def columns(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """(name, heading, kind) of each column that has a value somewhere; the kind is that of its first value."""
    found = list[tuple[str, str, str]]()
    for name in rows[0]:
        values = [row[name] for row in rows if row.get(name) not in ("", None)]
        if values:
            found.append((name, heading(name, values[0]), kind(values[0])))
    return found


HEADINGS = {"bytes": "size", "line bytes": "over the line", "bytes/s": "throughput"}
"""How columns are called whose values are written with their unit."""


def heading(name: str, value: Any) -> str:
    """A column's name as a person reads it, given one of its values."""
    return _(HEADINGS.get(name, name) if isinstance(value, Bytes | Rate) else name)


def kind(value: Any) -> str:
    """How a table sets a value: time, number, code or text."""
    if isinstance(value, datetime):
        return "time"
    if isinstance(value, int | float):
        return "number"
    return "code" if isinstance(value, Code) else "text"


def cell(value: Any) -> str:
    """A table's value as text."""
    match value:
        case None:
            return ""
        case datetime():
            return clock(value)
        case Word():
            return phrase(value)
        case Seconds():
            return duration(value)
        case Bytes():
            return size(value)
        case Rate():
            return f"{size(value)}/s"
        case bool():
            return _("yes") if value else _("no")
        case int() | float():
            return number(value)
        case _other:
            return plain(str(value))
