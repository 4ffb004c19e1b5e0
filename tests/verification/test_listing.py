"""The program that runs on both servers: whatever is changed after the origin told of it must be found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bmnb.verification import listing
from bmnb.verification.files import LISTING, LOST


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    box = tree / "p/domain/e/example.org/a/user/anna^b"
    (box / "Sent").mkdir(parents=True)
    (box / "1.").write_bytes(b"one")
    (box / "Sent" / "2.").write_bytes(b"two")
    os.link(box / "1.", box / "3.")
    (tree / os.fsdecode(b"odd \xff\n'\"$(x)")).write_bytes(b"odd")
    (tree / "link").symlink_to("nowhere")
    (tree / "empty").mkdir()
    return tree


def told(*places: str, how: str = "list", since: float = 0, percent: int = 100, known: bytes = b"") -> bytes:
    words = [sys.executable, str(LISTING), how, str(since), str(percent), *places]
    return subprocess.run(words, input=known, capture_output=True, check=True).stdout


def told_ahead(capfd: pytest.CaptureFixture[str], tree: Path, known: bytes = b"") -> bytes:
    """What is told ahead of files that have rested long enough."""
    work = partial(listing.describe_ahead, listing.Chosen(0, 100), time.time() + 60)
    listing.tell(work, listing.folders(str(tree), listing.fail_unless_gone), listing.Keys(known))
    return capfd.readouterr().out.encode()


def compared(lines: bytes, folder: Path) -> tuple[list[dict[str, str]], dict[str, int]]:
    words = [sys.executable, str(LISTING), "compare", str(folder)]
    sums = json.loads(subprocess.run(words, input=lines, capture_output=True, check=True).stdout)
    return [json.loads(line) for line in (folder / "differences").read_text().splitlines()], sums


def unchanged(folder: Path) -> bytes:
    words = [sys.executable, str(LISTING), "unchanged", str(folder)]
    return subprocess.run(words, capture_output=True, check=True).stdout


def rewrite_keeping_the_time(path: Path, content: bytes) -> None:
    moment = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(moment, moment))


def box(tree: Path) -> Path:
    return tree / "p/domain/e/example.org/a/user/anna^b"


CHANGES: list[tuple[str, str, Callable[[Path], object]]] = [
    (
        "a byte, at the same size and time",
        "content",
        lambda t: rewrite_keeping_the_time(box(t) / "Sent" / "2.", b"twO"),
    ),
    ("a time, by a nanosecond", "modified", lambda t: os.utime(box(t) / "1.", ns=(1, 10**18 + 1))),
    ("a mode", "mode", lambda t: (box(t) / "1.").chmod(0o604)),
    ("an owner", "owner", lambda t: os.chown(t / "empty", 12345, -1)),
    ("a link's aim", "leads to", lambda t: ((t / "link").unlink(), (t / "link").symlink_to("elsewhere"))),
    ("a missing message", "existence", lambda t: (box(t) / "Sent" / "2.").unlink()),
    ("a file of the target alone", "existence", lambda t: (t / "empty" / "more").touch()),
    ("an attribute", "attributes", lambda t: os.setxattr(t / "empty", "user.x", b"1")),
    (
        "a hard link that became a copy",
        "hard link",
        lambda t: ((box(t) / "3.").unlink(), (box(t) / "3.").write_bytes(b"one")),
    ),
    ("an odd name", "existence", lambda t: next(t.glob("odd*")).unlink()),
]


@pytest.mark.parametrize(("what", "change"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_what_differs_is_found_by_name(
    tree: Path, tmp_path: Path, what: str, change: Callable[[Path], object]
):
    lines = told(str(tree))
    assert compared(lines, tmp_path)[0] == []
    change(tree)
    found, sums = compared(lines, tmp_path)
    assert what in {one["what"] for one in found}
    assert sums["differences"] == len(found)


def test_mail_is_counted_by_mailbox(tree: Path, tmp_path: Path):
    lines = told(str(tree))
    (box(tree) / "Sent" / "2.").unlink()
    compared(lines, tmp_path)
    assert json.loads((tmp_path / "mailboxes").read_text()) == ["anna.b@example.org", 2, 3, 9, 2, 6]


def test_content_is_compared_of_what_changed_and_of_a_sample(tree: Path, tmp_path: Path):
    later = (box(tree) / "1.").stat().st_ctime + 10
    assert compared(told(str(tree), since=later, percent=0), tmp_path)[1]["by content"] == 0
    assert compared(told(str(tree), since=0, percent=0), tmp_path)[1]["by content"] == 4


def test_what_the_target_has_more_counts_only_where_it_may_not(tree: Path, tmp_path: Path):
    place = str(tree / "*")
    lines, kept = told(place), told(f"+{place}")
    (tree / "more").touch()
    assert {one["item"] for one in compared(lines, tmp_path)[0]} >= {str(tree / "more")}
    assert compared(kept, tmp_path)[0] == []


def test_a_list_that_was_cut_is_no_comparison(tree: Path, tmp_path: Path):
    cut = b"\n".join(told(str(tree)).splitlines()[:-2]) + b"\n"
    with pytest.raises(subprocess.CalledProcessError) as failed:
        compared(cut, tmp_path)
    assert b"is cut" in failed.value.stderr


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
    assert (len(before), len(unchanged(tmp_path))) == (4 * listing.KEY_BYTES, 3 * listing.KEY_BYTES)


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
    assert len(unchanged(tmp_path)) == 4 * listing.KEY_BYTES


def test_a_line_that_was_cut_is_no_comparison(tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    ahead = told_ahead(capfd, tree)
    compared(ahead, tmp_path)
    known = tmp_path / "known"
    known.write_text(known.read_text()[:-20])
    compared(ahead, tmp_path)
    keys = unchanged(tmp_path)
    assert len(keys) == (3 + 4) * listing.KEY_BYTES
