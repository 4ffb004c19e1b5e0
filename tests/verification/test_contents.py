"""What is compared ahead is read once; whatever changes afterwards is read again."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bmnb.verification.comparing.comparison import LOST
from bmnb.verification.comparing.contents import KEY_BYTES
from tests.verification.sides import box, compared, rewrite_keeping_the_time, told, told_ahead, unchanged


def test_what_was_compared_ahead_is_not_read_again(
    tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    ahead = told_ahead(capfd, tree)
    assert compared(ahead, tmp_path)[1]["same content"] == 4
    known = unchanged(tmp_path)
    found, sums = compared(told(str(tree), known=known), tmp_path)
    assert (found, sums["by content"], sums["read before"]) == ([], 0, 4)
    assert json.loads(told_ahead(capfd, tree, known)) == {"folders": 0, "known": 4}


@pytest.mark.parametrize(
    "change",
    [
        lambda t: rewrite_keeping_the_time(box(t) / "Sent" / "2.", b"twO"),
        lambda t: (box(t) / "Sent" / "2.").rename(box(t) / "Sent" / "4."),
        lambda t: (box(t) / "Sent").rename(box(t) / "Trash"),
    ],
    ids=["rewritten at the same time", "renamed", "its folder renamed"],
)
def test_what_changed_since_it_was_compared_ahead_is_read_again(
    tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], change: Callable[[Path], object]
):
    compared(told_ahead(capfd, tree), tmp_path)
    known = unchanged(tmp_path)
    change(tree)
    again = compared(told(str(tree), known=known), tmp_path)[1]
    assert (again["by content"], again["read before"]) == (1, 3)


def test_what_changed_on_the_target_since_it_was_compared_ahead_is_not_unchanged(
    tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    compared(told_ahead(capfd, tree), tmp_path)
    before = unchanged(tmp_path)
    rewrite_keeping_the_time(box(tree) / "Sent" / "2.", b"twO")
    assert (len(before), len(unchanged(tmp_path))) == (4 * KEY_BYTES, 3 * KEY_BYTES)


def test_ahead_another_content_is_found_at_the_same_size_and_time(
    tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    lines, two = told_ahead(capfd, tree), box(tree) / "Sent" / "2."
    rewrite_keeping_the_time(two, b"twO")
    found, sums = compared(lines, tmp_path)
    assert [(one["item"], one["what"]) for one in found] == [(str(two), "content")]
    assert (tmp_path / "again").read_bytes() == os.fsencode(two) + b"\0"
    assert sums["same content"] == 3


def test_ahead_whatever_the_next_pass_brings_is_no_difference(
    tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    lines = told_ahead(capfd, tree)
    (box(tree) / "Sent" / "2.").unlink()
    (box(tree) / "1.").write_bytes(b"longer")
    found, sums = compared(lines, tmp_path)
    assert (found, sums["by content"], sums["same content"]) == ([], 1, 1)


def test_ahead_a_file_that_has_just_changed_is_not_told(tree: Path):
    assert json.loads(told(str(tree), how="ahead")) == {"folders": 0, "known": 0}


def test_a_list_ahead_that_was_cut_may_be_asked_for_again(
    tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    cut = b"\n".join(told_ahead(capfd, tree).splitlines()[:-1]) + b"\n"
    with pytest.raises(subprocess.CalledProcessError) as failed:
        compared(cut, tmp_path)
    assert failed.value.returncode == LOST
    assert len(unchanged(tmp_path)) == 4 * KEY_BYTES


def test_a_line_that_was_cut_is_no_comparison(tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    ahead = told_ahead(capfd, tree)
    compared(ahead, tmp_path)
    known = tmp_path / "known"
    known.write_text(known.read_text()[:-20])
    compared(ahead, tmp_path)
    keys = unchanged(tmp_path)
    assert len(keys) == (3 + 4) * KEY_BYTES
