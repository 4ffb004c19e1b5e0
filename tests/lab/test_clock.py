"""The clock of this machine's programs that jumps, with which random faults strike."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.striking import clock_of

pytestmark = pytest.mark.lab

SLEEPS = "import time; print(time.time()); time.sleep(0.1); print(time.monotonic())"


@pytest.mark.parametrize(("jump", "seconds"), [("-2h", -7200), ("+2h", 7200)])
def test_a_program_sleeps_though_its_clock_has_jumped(tmp_path: Path, jump: str, seconds: int):
    def clocks(said: str) -> list[float]:
        (tmp_path / "clock").write_text(said)
        environment = {**os.environ, **clock_of(tmp_path / "clock")}
        return [
            float(line)
            for line in subprocess.check_output(
                [sys.executable, "-c", SLEEPS], env=environment, text=True
            ).split()
        ]

    before, after = clocks("+0"), clocks(jump)
    assert after[0] - before[0] == pytest.approx(seconds, abs=60)
    assert 0.1 <= after[1] - before[1] < 60
