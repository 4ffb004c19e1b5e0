"""Work spread over processes ends with whoever reads it."""

import subprocess
import sys

import pytest

from bmnb.verification import files

SECONDS = 60.0


@pytest.mark.parametrize(
    "work",
    ["spread(abs, iter(int, 1))", "descend(told, range(10_000), 8, int)"],
    ids=["tasks without end", "more tasks than wait"],
)
def test_it_ends_where_the_reader_goes_away(work: str):
    """A connection that broke left the program waiting for ever."""
    script = f"""from comparing.processes import descend, spread
def told(number): return number, []
for one in {work}: break"""
    subprocess.run([sys.executable, "-c", script], cwd=files.PROGRAMS.parent, timeout=SECONDS, check=True)
