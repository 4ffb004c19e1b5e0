"""`make bench`: the variants in turn, round after round; results after each in benchmarks/out/results.json."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import migration, peers
from benchmarks.migration import Case
from benchmarks.relay import LOOPBACK, WAN, Line
from bmnb.lab.host import raise_at_sigterm
from bmnb.lab.pace import Pace

OUT = Path(__file__).with_name("out") / "results.json"
VARIANTS = ("literal", "fast", "replication")
REAL = Pace(service=60, boot=40)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", nargs="+", choices=["loopback", "wan"], default=["loopback", "wan"])
    parser.add_argument("--caches", nargs="+", choices=["warm", "cold"], default=["warm"])
    parser.add_argument("--variants", nargs="+", choices=[*VARIANTS, *peers.PEERS], default=VARIANTS)
    given = parser.parse_args()
    raise_at_sigterm()
    lines = [{"loopback": LOOPBACK, "wan": WAN}[name] for name in given.lines]
    results: list[dict[str, Any]] = []
    for case, number in cases(given.files, given.rounds, lines, given.caches, given.variants):
        measure = peers.measure if case.variant in peers.PEERS else migration.measure
        for row in measure(case, number):
            results.append(row)
            print(json.dumps(row), flush=True)
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(results, indent=1) + "\n")
    for text in ratios(results):
        print(text)


def cases(
    files: int, rounds: int, lines: list[Line], caches: list[str], variants: list[str]
) -> Iterator[tuple[Case, int]]:
    """What is measured, the variants in turn, and in which round; the engines at last on servers as slow as real ones."""
    for line, cache in product(lines, caches):
        for number, variant in product(range(1, rounds + 1), variants):
            yield Case(variant, line, cache, files), number
    for number, variant in product(range(1, rounds + 1), variants):
        if variant in VARIANTS:
            yield Case(variant, LOOPBACK, "warm", files, pace=REAL), number


def ratios(results: list[dict[str, Any]]) -> list[str]:
    """literal / another variant of each round, as median and range."""
    told = []
    cases = dict.fromkeys((one["line"], one["cache"], one["part"], one["variant"]) for one in results)
    for line, cache, part, variant in cases:
        literal, other = (
            {
                one["round"]: one["seconds"]
                for one in results
                if (one["line"], one["cache"], one["part"], one["variant"]) == (line, cache, part, which)
            }
            for which in ("literal", variant)
        )
        found = [
            literal[number] / seconds for number, seconds in other.items() if seconds and number in literal
        ]
        if found and variant != "literal":
            spread = f"{median(found):.1f} [{min(found):.1f}-{max(found):.1f}]"
            told.append(f"{line}, {cache} caches, {part}: literal / {variant} {spread}")
    return told


if __name__ == "__main__":
    main()
