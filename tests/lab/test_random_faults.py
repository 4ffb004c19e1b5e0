"""Whatever strikes, and wherever: nothing is lost, and there is always a way on or back.

`make soak` goes on for hours (BMNB_SOAK_MINUTES), from the number BMNB_SEED on; some numbers are tried each time.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from bmnb.errors import BmnbError
from bmnb.lab import Lab
from tests.lab.chance import Strike, trial
from tests.lab.covering import SEED
from tests.lab.striking import endure

pytestmark = pytest.mark.lab
OPTIONS = {"messages": 500, "rows": 4_000, "users": 20, "partitions": 10}
MINUTES = float(os.environ.get("BMNB_SOAK_MINUTES", "120"))
PAGE = Path(__file__).parent.parent.parent / "docs" / "soak.md"
FIXED = (2, 3)


@pytest.fixture(scope="module")
def saved(lab: Lab) -> Lab:
    lab.save("begun")
    return lab


@pytest.mark.parametrize("number", FIXED)
def test_these_numbers_lose_nothing(saved: Lab, tmp_path: Path, number: int):
    saved.restore("begun")
    assert endure(saved, tmp_path / "place", trial(number)).record


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_a_night_of_faults_loses_nothing(saved: Lab, tmp_path: Path):
    began, number = time.monotonic(), SEED
    record: list[tuple[str, Strike]] = []
    failed: list[str] = []
    commands = 0
    while number == SEED or time.monotonic() - began < MINUTES * 60:
        print(trial(number), flush=True)
        saved.restore("begun")
        try:
            struck = endure(saved, tmp_path / str(number), trial(number))
        except (AssertionError, BmnbError) as error:
            failed.append(f"{trial(number)}\n{error}")
            print(f"FAILED {error}", flush=True)
        else:
            record += struck.record
            commands += struck.commands
        number += 1
        PAGE.write_text(page(record, SEED, number, commands, failed))
    assert failed == []


def page(record: list[tuple[str, Strike]], first: int, end: int, commands: int, failed: list[str]) -> str:
    """The faults that struck, by the step that was under way and by what they were."""
    steps = Counter(step for step, _ in record)
    kinds = Counter(f"{strike.where}: {strike.kind}" for _, strike in record)
    by_step = "".join(f"| {step} | {count} |\n" for step, count in sorted(steps.items()))
    by_kind = "".join(f"| {kind} | {count} |\n" for kind, count in sorted(kinds.items()))
    return f"""# Faults left to chance

This page was written by `make soak`, numbers {first} to {end - 1}: {len(record)} faults struck {end - first} runs of *Changing distributions*, each third of which was rolled back; the same command was given {commands} times. In {len(failed)} runs something was lost, or there was no way on.

| step under way | faults |
| --- | --- |
{by_step}
| fault | times |
| --- | --- |
{by_kind}"""
