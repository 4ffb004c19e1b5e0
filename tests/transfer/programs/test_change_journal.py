"""A journal names the folders in which something has changed, or does not answer."""

import os
import threading
import time
from pathlib import Path

import pytest

from bmnb.transfer.programs import change_journal, changes, fanotify
from bmnb.transfer.programs.change_journal import Journal
from bmnb.transfer.programs.changes import changed_since, now

pytestmark = pytest.mark.lab
"""Linux tells of changes to root alone."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/b/file").write_text("one")
    return tree


@pytest.fixture
def lists(tmp_path: Path, tree: Path) -> str:
    """The folder where a journal of the tree answers."""
    lists = tmp_path / "lists"
    threading.Thread(target=change_journal.serve, args=(str(lists), [str(tree)]), daemon=True).start()
    while not (lists / changes.SOCKET).exists():
        time.sleep(0.01)
    time.sleep(0.05)
    return str(lists)


@pytest.mark.parametrize(
    ("change", "folder"),
    [
        (lambda tree: (tree / "a/b/file").write_text("two"), "a/b"),
        (lambda tree: os.utime(tree / "a/b/file", ns=(1, 1)), "a/b"),
        (lambda tree: (tree / "a/b/file").unlink(), "a/b"),
        (lambda tree: (tree / "a/b/file").rename(tree / "a/b/other"), "a/b"),
        (lambda tree: os.link(tree / "a/b/file", tree / "a/name"), "a"),
        (lambda tree: (tree / "a/b").chmod(0o700), "a/b"),
        (lambda tree: (tree / "a/b").rename(tree / "moved"), "a"),
    ],
    ids=["written", "time set", "deleted", "renamed", "linked", "folder's mode", "folder moved"],
)
def test_it_names_the_folder_of_a_change(tree: Path, lists: str, change, folder: str):
    before = now()
    change(tree)
    assert str(tree / folder).encode() in (changed_since(lists, before) or [])
    assert changed_since(lists, now()) == []


def test_a_folder_is_named_by_where_it_is_now(tree: Path, lists: str):
    before = now()
    (tree / "a/b/file").write_text("two")
    (tree / "a").rename(tree / "c")
    assert {*(changed_since(lists, before) or [])} == {str(tree / "c/b").encode(), str(tree).encode()}


def test_it_does_not_answer_for_a_time_that_it_has_not_seen(lists: str, tmp_path: Path):
    assert changed_since(lists, "another-boot 1e9") is None
    boot, _, _ = now().partition(" ")
    assert changed_since(lists, f"{boot} 0.0") is None
    assert changed_since(str(tmp_path), now()) is None, "none is there"


def test_a_tree_behind_a_symbolic_link_is_named_as_it_is_reached(tree: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(tree)
    journal = Journal([str(tmp_path / "link")])
    (tree / "a/new").touch()
    assert journal.since(journal.began) == [str(tmp_path / "link/a").encode()]


def test_a_mount_that_came_since_makes_it_unknown(tree: Path, monkeypatch: pytest.MonkeyPatch):
    journal = Journal([str(tree)])
    more = [*journal.mounts, change_journal.Mount("999", str(tree / "a"), "ext4")]
    monkeypatch.setattr(change_journal, "mounts", lambda trees: more)
    assert journal.since(now()) is None


def test_lost_events_end_it():
    overflow = fanotify.EVENT.pack(24, 3, 0, 24, fanotify.Q_OVERFLOW, -1, 0)
    with pytest.raises(OverflowError):
        list(fanotify.folders(overflow))


def test_it_says_why_there_can_be_none():
    assert "where others may write" in change_journal.against(["/proc"])
