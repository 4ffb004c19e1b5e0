"""What is under way is seen from elsewhere, for as long as it is."""

import os
import time
from pathlib import Path

from bmnb import live
from bmnb.steps import Command
from bmnb.watch import GONE_SECONDS, screens, watch

COPY = Command("target", "rsync -a origin:/a/ /a/", "/a")


def test_a_steps_screen_is_there_while_it_is_under_way(tmp_path: Path):
    (tmp_path / "run").mkdir()
    step = live.Live("Synchronize", {"a/1": COPY}, tmp_path / "run" / "logs")
    step.jobs["a/1"].start()
    step.draw()
    [seen] = screens(tmp_path)
    assert "<h4>run</h4>" in seen
    assert "target: /a" in seen
    step.close("done")
    assert list(screens(tmp_path)) == []


def test_what_a_dead_kernel_has_left_is_not_under_way(tmp_path: Path):
    (tmp_path / "run").mkdir()
    left = tmp_path / "run" / live.SCREEN
    left.write_text("a bar")
    long_ago = time.time() - 2 * GONE_SECONDS
    os.utime(left, (long_ago, long_ago))
    assert list(screens(tmp_path)) == []


def test_watching_ends_where_nothing_is_under_way(tmp_path: Path):
    assert watch(str(tmp_path)).data == "Nothing is under way."
