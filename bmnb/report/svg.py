"""Horizontal bars as an `<svg>` element: named rows, one or more panels side by side, a legend above."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, ROW = 880, 24
FONT = 12
CHARACTER = 0.56 * FONT
"""The mean width of a character of a sans serif font; what shows the picture has fonts of its own."""
ABOVE, BELOW, GAP = 30, 36, 16
EDGE = 36
"""Half of the text at a tick, which may stand at the panel's end."""
INK, LINE = "#222222", "#DDDDDD"


@dataclass(frozen=True)
class Bar:
    """A bar in a row, from `begin` to `end` in the panel's unit; `height` is its share of the row."""

    row: int
    begin: float
    end: float
    color: str
    height: float = 0.7
    label: str = ""
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """Bars over one axis from `low` to `high`; `ticks` are places on it, each with its lines of text."""

    bars: Sequence[Bar]
    low: float
    high: float
    ticks: Sequence[tuple[float, Sequence[str]]] = ()
    title: str = ""


def chart(names: Sequence[str], panels: Sequence[Panel], legend: Iterable[tuple[str, str]] = ()) -> str:
    """The picture of all rows; `legend` has pairs of colour and word. It is as wide as where it is shown."""
    left = max((len(name) for name in names), default=0) * CHARACTER + GAP
    bottom = ABOVE + ROW * len(names)
    height = bottom + (BELOW if any(panel.ticks for panel in panels) else 0)
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {height}",
            "font-family": "sans-serif",
            "font-size": str(FONT),
            "fill": INK,
        },
    )
    _legend(svg, list(legend))
    for row, name in enumerate(names):
        _text(svg, left - GAP / 2, _middle(row), name, "end")
    width = (WIDTH - left - EDGE) / len(panels) - GAP
    for place, panel in enumerate(panels):
        _panel(svg, panel, left + place * (width + GAP), width, bottom)
    return ET.tostring(svg, encoding="unicode")


def _panel(svg: ET.Element, panel: Panel, left: float, width: float, bottom: float) -> None:
    span = (panel.high - panel.low) or 1.0

    def x(value: float) -> float:
        return left + (value - panel.low) / span * width

    if panel.title:
        _text(svg, left + width / 2, ABOVE / 2, panel.title, "middle")
    for place, lines in panel.ticks:
        _rectangle(svg, x(place), ABOVE, 1, bottom - ABOVE, LINE)
        for number, line in enumerate(lines):
            _text(svg, x(place), bottom + FONT * (1 + 1.2 * number), line, "middle")
    for bar in panel.bars:
        height = bar.height * ROW
        # what took no time is seen all the same
        wide = max(x(bar.end) - x(bar.begin), 1.0)
        drawn = _rectangle(svg, x(bar.begin), _middle(bar.row) - height / 2, wide, height, bar.color)
        if bar.dashed:
            drawn.attrib |= {"fill-opacity": "0.4", "stroke": bar.color, "stroke-dasharray": "4 2"}
        if bar.label:
            _text(svg, x(bar.end) + 3, _middle(bar.row), bar.label, "start")


def _legend(svg: ET.Element, legend: Sequence[tuple[str, str]]) -> None:
    right = float(WIDTH)
    for color, word in reversed(legend):
        right -= len(word) * CHARACTER + GAP
        _text(svg, right, ABOVE / 2, word, "start")
        right -= FONT + 4
        _rectangle(svg, right, ABOVE / 2 - FONT / 2, FONT, FONT, color)


def _middle(row: int) -> float:
    return ABOVE + ROW * (row + 0.5)


def _rectangle(svg: ET.Element, x: float, y: float, width: float, height: float, color: str) -> ET.Element:
    places = {"x": x, "y": y, "width": width, "height": height}
    return ET.SubElement(
        svg, "rect", {**{key: f"{value:.1f}" for key, value in places.items()}, "fill": color}
    )


def _text(svg: ET.Element, x: float, y: float, text: str, anchor: str) -> None:
    places = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "dominant-baseline": "central"}
    ET.SubElement(svg, "text", places).text = text
