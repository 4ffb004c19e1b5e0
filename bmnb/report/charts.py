"""The charts. Each has a table beside it in the report, so that no fact is in a picture alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bmnb.language import _
from bmnb.probe import Spell
from bmnb.report import svg
from bmnb.report.svg import Bar, Panel
from bmnb.report.times import ticks
from bmnb.report.wording import number

# Okabe and Ito's colours, which people with any colour vision tell apart
UP, AWAY, BLUE, GREY = "#009E73", "#D55E00", "#0072B2", "#DDDDDD"

Span = tuple[str, datetime, datetime, bool]
"""Name, begin, end, and whether users are cut off meanwhile."""


def timeline(spans: Sequence[Span]) -> str:
    """Bars in their order from the top, each from begin to end."""
    bars = [_bar(row, begin, end, cut) for row, (_name, begin, end, cut) in enumerate(spans)]
    return svg.chart([name for name, *_rest in spans], [_over_time(bars, spans[0][1].tzinfo)], _services())


@dataclass(frozen=True)
class Lane:
    """What the chart of a fleet shows of one client: (begin, end, users cut off), and its window."""

    name: str
    spans: tuple[tuple[datetime, datetime, bool], ...]
    not_before: datetime | None = None
    not_after: datetime | None = None

    @property
    def window(self) -> bool:
        return bool(self.not_before or self.not_after)


def lanes(clients: Sequence[Lane]) -> str:
    """The clients of a fleet over time, one below the other; their windows stand behind."""
    moments = [moment for one in clients for begin, end, _cut in one.spans for moment in (begin, end)]
    moments += [moment for one in clients for moment in (one.not_before, one.not_after) if moment]
    first, last = min(moments), max(moments)
    windows = [
        Bar(row, (one.not_before or first).timestamp(), (one.not_after or last).timestamp(), GREY, 0.9)
        for row, one in enumerate(clients)
        if one.window
    ]
    bars = [_bar(row, *span, height=0.5) for row, one in enumerate(clients) for span in one.spans]
    panel = _over_time([*windows, *bars], first.astimezone().tzinfo)
    return svg.chart([one.name for one in clients], [panel], [*_services(), (GREY, _("window"))])


def outages(ports: dict[str, list[Spell]], cut: tuple[datetime, datetime] | None, zone: tzinfo | None) -> str:
    """What the probes saw of each port, at the time of a zone; `cut` is the downtime by the journal."""
    bars = [
        Bar(row, spell.begin.timestamp(), spell.end.timestamp(), UP if spell.answers else AWAY)
        for row, spells in enumerate(ports.values())
        for spell in spells
    ]
    if cut:
        bars.append(Bar(len(ports), cut[0].timestamp(), cut[1].timestamp(), AWAY, dashed=True))
    names = [*ports, *([_("by the journal")] if cut else [])]
    legend = [(UP, _("answers")), (AWAY, _("does not answer"))]
    return svg.chart(names, [_over_time(bars, zone)], legend)


def passes(made: Sequence[tuple[str, float, int]]) -> str:
    """Seconds, and megabytes over the line, of each pass: (name, seconds, bytes)."""
    long = max(seconds for _name, seconds, _moved in made) > 120
    times = [seconds / 60 if long else seconds for _name, seconds, _moved in made]
    moved = [moved / 1e6 for _name, _seconds, moved in made]
    panels = [
        _amounts(times, _("minutes") if long else _("seconds")),
        _amounts(moved, _("MB over the line")),
    ]
    return svg.chart([name for name, _seconds, _moved in made], panels)


def _bar(row: int, begin: datetime, end: datetime, cut: bool, height: float = 0.7) -> Bar:
    return Bar(row, begin.timestamp(), end.timestamp(), AWAY if cut else BLUE, height)


def _services() -> list[tuple[str, str]]:
    return [(BLUE, _("service up")), (AWAY, _("users cut off"))]


def _over_time(bars: Sequence[Bar], zone: tzinfo | None) -> Panel:
    low, high = min(bar.begin for bar in bars), max(bar.end for bar in bars)
    marks = ticks(datetime.fromtimestamp(low, zone), datetime.fromtimestamp(high, zone), zone)
    return Panel(bars, low, high, marks)


def _amounts(values: Iterable[float], title: str) -> Panel:
    bars = [Bar(row, 0, value, BLUE, label=number(round(value, 1))) for row, value in enumerate(values)]
    # room for the number behind the longest bar
    return Panel(bars, 0, max(bar.end for bar in bars) * 1.15, title=title)
