"""The tables and the chart of docs/benchmarks.md, from the results: python -m benchmarks.page RESULTS..."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.figure import Figure

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
CHART = PAGE.with_suffix(".svg")
PARTS = ("stop", "files", "dump", "configuration", "import", "verify", "switch")
VARIANTS = ("literal", "fast", "replication")
COLOURS = ("#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1")
Key = tuple[int, str, str]


def main() -> None:
    results = [row for path in sys.argv[1:] for row in json.loads(Path(path).read_text())]
    text = PAGE.read_text()
    table = "\n".join([*lines(results), "", *cost_lines(results), "", *peer_lines(results)])
    PAGE.write_text(re.sub(r"(?s)(<!-- results -->\n).*?(<!-- end -->)", rf"\1\n{table}\n\n\2", text))
    chart(results)


def lines(results: list[dict[str, Any]]) -> Iterator[str]:
    others = VARIANTS[1:]
    columns = [f"{one}, s" for one in VARIANTS] + [f"literal / {one}" for one in others]
    heads = ["files", "line", "caches", "part", *columns, "differences"]
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for key in cases(results):
        for part in (
            "hot pass",
            "contents ahead",
            "downtime",
            *PARTS,
            "databases",
            "BlueMind's own stop and start",
            "limit: bare look at the origin's metadata",
        ):
            found = {
                variant: {row["round"]: row for row in of(results, key, part, variant)}
                for variant in VARIANTS
            }
            shown = [spread([row["seconds"] for row in one.values()]) for one in found.values()]
            shown += [spread(ratios(found["literal"], found[one])) for one in others]
            wrong = sum(row["differences"] or 0 for one in found.values() for row in one.values())
            cells = [f"{key[0]:,}", *key[1:], part, *shown, str(wrong) if part == "downtime" else ""]
            yield f"| {' | '.join(cells)} |"


def cost_lines(results: list[dict[str, Any]]) -> Iterator[str]:
    """What the hot pass and the downtime cost: of both servers the processors, of the larger one the memory."""
    yield "| files | line | caches | part | variant | sent by the origin, MB | processors, s | memory, MiB |"
    yield f"|{' --- |' * 8}"
    for key in cases(results):
        for part in ("hot pass", "downtime"):
            for variant in VARIANTS:
                rows = [row for row in of(results, key, part, variant) if row["bytes"] is not None]
                if rows:
                    megabytes = spread([row["bytes"] / 1e6 for row in rows])
                    shown = [spread([row[one] for row in rows]) for one in ("cpu_seconds", "peak_mib")]
                    yield f"| {' | '.join([f'{key[0]:,}', *key[1:], part, variant, megabytes, *shown])} |"


def peer_lines(results: list[dict[str, Any]]) -> Iterator[str]:
    """Each peer with its part alone, beside the literal engine's same part; nothing where none was measured."""
    if all(row["variant"] in VARIANTS for row in results):
        return
    yield "| files | line | caches | part | peer | peer, s | literal / peer | differences |"
    yield f"|{' --- |' * 8}"
    measured = dict.fromkeys((row["part"], row["variant"]) for row in results)
    for key in cases(results):
        for part, peer in measured:
            rows = {row["round"]: row for row in of(results, key, part, peer)}
            if peer in VARIANTS or not rows:
                continue
            literal = {row["round"]: row for row in of(results, key, part, "literal")}
            shown = (
                spread([row["seconds"] for row in rows.values()]),
                spread(ratios(literal, rows)),
                str(sum(row["differences"] for row in rows.values())),
            )
            yield f"| {' | '.join([f'{key[0]:,}', *key[1:], part, peer, *shown])} |"


def ratios(literal: dict[int, dict[str, Any]], other: dict[int, dict[str, Any]]) -> list[float]:
    """literal / other, of each round that has both."""
    return [
        literal[number]["seconds"] / row["seconds"]
        for number, row in other.items()
        if number in literal and row["seconds"]
    ]


def chart(results: list[dict[str, Any]]) -> None:
    """The downtime by part, a bar a variant and case."""
    labels = [
        (key, variant)
        for key in cases(results)
        for variant in VARIANTS
        if of(results, key, "downtime", variant)
    ]
    figure = Figure(figsize=(9, 1.2 + 0.7 * len(labels)))
    axes = figure.subplots()
    for place, (key, variant) in enumerate(labels):
        left = 0.0
        for part, colour in zip(PARTS, COLOURS, strict=True):
            seconds = [row["seconds"] for row in of(results, key, part, variant)]
            width = median(seconds) if seconds else 0.0
            axes.barh(place, width, left=left, color=colour, label=part if place == 0 else None)
            left += width
    axes.set_yticks(
        range(len(labels)),
        [f"{variant}, {key[0]:,} files\n{key[1]}, caches {key[2]}" for key, variant in labels],
    )
    axes.invert_yaxis()
    axes.set_xlabel("seconds of downtime, median")
    axes.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.4, 1.0), frameon=False)
    figure.savefig(CHART, bbox_inches="tight", metadata={"Date": None})


def cases(results: list[dict[str, Any]]) -> list[Key]:
    return list(dict.fromkeys((row["files"], row["line"], row["cache"]) for row in results))


def of(results: list[dict[str, Any]], key: Key, part: str, variant: str) -> list[dict[str, Any]]:
    return [
        row
        for row in results
        if (row["files"], row["line"], row["cache"]) == key
        and (row["part"], row["variant"]) == (part, variant)
    ]


def spread(numbers: list[float]) -> str:
    """Median, and the range where there are several."""
    if not numbers:
        return ""
    if len(numbers) == 1:
        return f"{numbers[0]:.1f}"
    return f"{median(numbers):.1f} [{min(numbers):.1f}–{max(numbers):.1f}]"


if __name__ == "__main__":
    main()
