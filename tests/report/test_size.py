"""A run of a hundred thousand lines is told as one of a few: its state at once, its report in a page that opens."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from bmnb import seal
from tests.report import synthetic

LINES, ITEMS = 100_000, 150_000
MEASURED = """import resource, subprocess, sys
status = subprocess.run([sys.executable, "-m", "bmnb", *sys.argv[1:]], stdout=subprocess.DEVNULL).returncode
spent = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, spent.ru_utime + spent.ru_stime, spent.ru_maxrss / 1024)"""


class Spent(NamedTuple):
    """What a command has taken: seconds of a processor, which other programs make longer but little; MiB at its peak."""

    seconds: float
    mib: float


def spent(*words: str) -> Spent:
    told = subprocess.run(
        [sys.executable, "-c", MEASURED, *words], capture_output=True, text=True, check=True
    )
    status, seconds, mib = told.stdout.split()
    assert status == "0", told.stderr
    return Spent(float(seconds), float(mib))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic.long_run(tmp_path_factory.mktemp("runs") / "run", LINES, ITEMS)


def test_its_state_is_told_in_less_than_a_second_and_150_mb(long: Path, tmp_path: Path):
    """A second beyond what the command itself takes to begin."""
    short = synthetic.run(tmp_path / "run", passes=1)
    before, now = spent("status", str(short)), spent("status", str(long))
    assert now.seconds - before.seconds < 1
    assert now.mib < 150


def test_its_report_is_a_page_of_less_than_5_mb(tmp_path: Path):
    """A tenth of it, in a tenth of 30 s and of what it takes to begin, thrice for a machine on which other tests run."""
    folder = synthetic.long_run(tmp_path / "run", LINES // 10, ITEMS // 10)
    assert spent("report", str(folder)).seconds < 3 * (3 + 2)
    assert (folder / "report.html").stat().st_size < 5_000_000
    assert (folder / "tables" / "items.csv").stat().st_size > ITEMS, "the rest is beside it"
    assert list(seal.problems(folder)) == []
