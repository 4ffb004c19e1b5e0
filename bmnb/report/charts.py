"""Charts as static SVG. Each has a table beside it in the report, so that no fact is in a picture alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from bmnb.language import _
from bmnb.probe import Spell
from bmnb.report.wording import number

# Okabe and Ito's colours, which people with any colour vision tell apart
UP, AWAY, BLUE, GREY = "#009E73", "#D55E00", "#0072B2", "#DDDDDD"
WIDTH, ROW = 11.0, 0.27

# years, months, days, hours, minutes, seconds, in digits whatever the language
NUMERIC: Any = {
    "formats": ["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%S"],
    "zero_formats": ["", "%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M"],
    "offset_formats": ["", "%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%d"],
}

Bar = tuple[str, datetime, datetime, bool]
"""Name, begin, end, and whether users are cut off meanwhile."""


def timeline(bars: Sequence[Bar]) -> str:
    """Bars in their order from the top, each from begin to end."""
    figure = Figure(figsize=(WIDTH, 0.9 + ROW * len(bars)), layout="constrained")
    axes = figure.subplots()
    for place, (_name, begin, end, cut) in enumerate(bars):
        axes.barh(place, _days(begin, end), left=_at(begin), height=0.7, color=AWAY if cut else BLUE)
    axes.set_yticks(range(len(bars)), [name for name, *_rest in bars])
    axes.invert_yaxis()
    _time_axis(axes, bars[0][1].tzinfo)
    handles = [Patch(color=BLUE, label=_("service up")), Patch(color=AWAY, label=_("users cut off"))]
    axes.legend(handles=handles, loc="upper right", frameon=False)
    return _svg(figure)


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
    figure = Figure(figsize=(WIDTH, 1.2 + ROW * len(clients)), layout="constrained")
    axes = figure.subplots()
    for place, one in enumerate(clients):
        if one.window:
            begin, end = one.not_before or first, one.not_after or last
            axes.barh(place, _days(begin, end), left=_at(begin), height=0.9, color=GREY)
        for begin, end, cut in one.spans:
            axes.barh(place, _days(begin, end), left=_at(begin), height=0.5, color=AWAY if cut else BLUE)
    axes.set_yticks(range(len(clients)), [one.name for one in clients])
    axes.invert_yaxis()
    _time_axis(axes, first.astimezone().tzinfo)
    handles = [
        *(Patch(color=BLUE, label=_("service up")), Patch(color=AWAY, label=_("users cut off"))),
        Patch(color=GREY, label=_("window")),
    ]
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    return _svg(figure)


def outages(ports: dict[str, list[Spell]], cut: tuple[datetime, datetime] | None, zone: tzinfo | None) -> str:
    """What the probes saw of each port, at the time of a zone; `cut` is the downtime by the journal."""
    names = [*ports, *([_("by the journal")] if cut else [])]
    figure = Figure(figsize=(WIDTH, 0.9 + 1.4 * ROW * len(names)), layout="constrained")
    axes = figure.subplots()
    for place, spells in enumerate(ports.values()):
        for spell in spells:
            width = _days(spell.begin, spell.end)
            axes.barh(place, width, left=_at(spell.begin), height=0.6, color=UP if spell.answers else AWAY)
    if cut:
        axes.barh(len(ports), _days(*cut), left=_at(cut[0]), height=0.6, color=AWAY, hatch="///")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    _time_axis(axes, zone)
    handles = [Patch(color=UP, label=_("answers")), Patch(color=AWAY, label=_("does not answer"))]
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    return _svg(figure)


def passes(made: Sequence[tuple[str, float, int]]) -> str:
    """Seconds, and megabytes over the line, of each pass: (name, seconds, bytes)."""
    figure = Figure(figsize=(WIDTH, 1.0 + ROW * len(made)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    names = [name for name, _seconds, _moved in made]
    long = max(seconds for _name, seconds, _moved in made) > 120
    times = [seconds / 60 if long else seconds for _name, seconds, _moved in made]
    columns = [
        (left, times, _("minutes") if long else _("seconds")),
        (right, [moved / 1e6 for _name, _seconds, moved in made], _("MB over the line")),
    ]
    for axes, values, title in columns:
        bars = axes.barh(range(len(made)), values, height=0.7, color=BLUE)
        axes.bar_label(bars, [number(round(value, 1)) for value in values], padding=3)
        axes.set_title(title, fontsize=10)
        axes.margins(x=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_yticks(range(len(made)), names)
    left.invert_yaxis()
    return _svg(figure)


def _time_axis(axes: mpl.axes.Axes, zone: tzinfo | None) -> None:
    locator = AutoDateLocator(tz=zone)
    axes.xaxis_date(tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone, **NUMERIC))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GREY)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _at(moment: datetime) -> float:
    return float(date2num(moment))


def _days(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 86400


def _svg(figure: Figure) -> str:
    """The figure's <svg> element, its texts as text, of the page's width at the most."""
    out = StringIO()
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": "bmnb", "font.family": "sans-serif"}
    with mpl.rc_context(style):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    element = out.getvalue()[out.getvalue().index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    return re.sub(
        r'(<svg[^>]*?) height="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", element)
    )
