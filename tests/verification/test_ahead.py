"""What is the same ahead is not told again; whatever changes afterwards, on either server, is found all the same."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bmnb.verification.comparing import ahead, listing
from bmnb.verification.comparing.ahead import REST_SECONDS
from bmnb.verification.comparing.comparison import LOST
from bmnb.verification.comparing.known import KEY_BYTES, PAIR, Key
from bmnb.verification.comparing.listing import Chosen
from tests.verification.sides import Sides, both, box, rewrite_keeping_the_time

ALL, FOLDERS, FILES = 15, 11, 4
"""Entries of the tree, folders with their entries (that of the place among them), files."""
BOX = "p/domain/e/example.org/a/user/anna^b"
ODD = "odd \\xff\n'\"$(x)"


def replace_by_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("elsewhere")


def copy_instead_of_link(tree: Path) -> None:
    (box(tree) / "3.").unlink()
    (box(tree) / "3.").write_bytes(b"one")


def add_access(path: Path) -> None:
    value = b"\2\0\0\0" + b"".join(
        tag.to_bytes(2, "little") + mode.to_bytes(2, "little") + who.to_bytes(4, "little")
        for tag, mode, who in ((1, 6, 2**32 - 1), (2, 4, 12345), (4, 4, 2**32 - 1), (16, 4, 2**32 - 1), (32, 4, 2**32 - 1))
    )  # fmt: skip
    os.setxattr(path, "system.posix_acl_access", value)


CHANGES: list[tuple[str, tuple[str, str], Callable[[Path], object]]] = [
    (
        "a byte, at the same size and time",
        (f"{BOX}/Sent/2.", "content"),
        lambda t: rewrite_keeping_the_time(box(t) / "Sent/2.", b"twO"),
    ),
    ("a time, by a nanosecond", (f"{BOX}/1.", "modified"), lambda t: os.utime(box(t) / "1.", ns=(1, 10**18 + 1))),
    ("a mode", (f"{BOX}/Sent/2.", "mode"), lambda t: (box(t) / "Sent/2.").chmod(0o604)),
    ("an owner", ("empty", "owner"), lambda t: os.chown(t / "empty", 12345, -1)),
    ("a group of a link", ("link", "group"), lambda t: os.chown(t / "link", -1, 12345, follow_symlinks=False)),
    ("an attribute", ("empty", "attributes"), lambda t: os.setxattr(t / "empty", "user.x", b"1")),
    ("an access list", (f"{BOX}/Sent/2.", "attributes"), lambda t: add_access(box(t) / "Sent/2.")),
    ("a link's aim", ("link", "leads to"), lambda t: replace_by_link(t / "link")),
    ("a link in place of a file", (f"{BOX}/Sent/2.", "kind"), lambda t: replace_by_link(box(t) / "Sent/2.")),
    ("a link in place of a folder", ("empty", "kind"), lambda t: ((t / "empty").rmdir(), (t / "empty").symlink_to("p"))),
    ("a file deleted", (f"{BOX}/Sent/2.", "existence"), lambda t: (box(t) / "Sent/2.").unlink()),
    ("an odd name deleted", (ODD, "existence"), lambda t: next(t.glob("odd*")).unlink()),
    ("a file more", ("empty/more", "existence"), lambda t: (t / "empty/more").touch()),
    ("a file renamed", (f"{BOX}/Sent/4.", "existence"), lambda t: (box(t) / "Sent/2.").rename(box(t) / "Sent/4.")),
    ("a folder renamed", (f"{BOX}/Trash", "existence"), lambda t: (box(t) / "Sent").rename(box(t) / "Trash")),
    ("a folder deleted", ("empty", "existence"), lambda t: (t / "empty").rmdir()),
    ("a hard link that became a copy", (f"{BOX}/3.", "hard link"), copy_instead_of_link),
    ("a hard link more", ("empty/1.", "existence"), lambda t: os.link(box(t) / "1.", t / "empty/1.")),
]  # fmt: skip


@pytest.mark.parametrize("side", ["origin", "target"])
def test_what_changes_after_it_was_the_same_is_found_on_either_side(tree: Path, tmp_path: Path, side: str):
    """Each change in a tree of its own below the one that is compared."""
    trees = tmp_path / "all" / "tree"
    trees.mkdir(parents=True)
    for what, _, _ in CHANGES:
        subprocess.run(["cp", "-a", tree, trees / what], check=True)
    sides = both(trees)
    sides.compare_ahead()
    assert sides.verify()[0] == set()
    for what, _, change in CHANGES:
        change(sides.tree(side) / what)
    wrong = sides.verify()[0]
    assert {
        f"{what}/{path}": fact for what, (path, fact), _ in CHANGES if (f"{what}/{path}", fact) not in wrong
    } == {}


def test_what_was_the_same_is_neither_told_nor_read_again(sides: Sides):
    sums = sides.compare_ahead()
    assert (sums["entries"], sums["by content"], sums["same content"]) == (ALL, FILES, FILES)
    assert sides.looked_at() == []
    wrong, sums = sides.verify()
    assert wrong == set()
    assert (sums["entries"], sums["by content"], sums["read before"]) == (ALL, 0, FILES)
    assert sides.compare_ahead() == {**sums, "entries": 0, "bytes": 0}


def test_only_what_has_changed_is_told(sides: Sides):
    sides.compare_ahead()
    for side in ("origin", "target"):
        (box(sides.tree(side)) / "1.").chmod(0o604)
    assert sides.looked_at() == ["1.", "3."]
    wrong, sums = sides.verify()
    assert wrong == set()
    assert (sums["entries"], sums["by content"], sums["read before"]) == (ALL, 2, 2)


def test_what_has_changed_on_the_origin_alone_is_told_with_its_whole_folder(sides: Sides):
    """The target tells only that all of the folder is as it was."""
    sides.compare_ahead()
    (box(sides.tree("origin")) / "1.").chmod(0o604)
    assert sides.looked_at() == ["1.", "3.", "Sent"]
    assert sides.verify()[0] == {(f"{BOX}/1.", "mode"), (f"{BOX}/3.", "mode")}


def test_what_was_brought_since_is_known_after_the_next_comparison(sides: Sides):
    sides.compare_ahead()
    for side in ("origin", "target"):
        (box(sides.tree(side)) / "Sent/4.").write_bytes(b"four")
        for path in ("Sent/4.", "Sent"):
            os.utime(box(sides.tree(side)) / path, ns=(1, 10**18))
    assert sides.looked_at() == ["4.", "Sent"]
    assert sides.compare_ahead()["same content"] == FILES + 1
    assert sides.looked_at() == []


def test_mail_is_counted_by_mailbox_whether_known_or_not(sides: Sides):
    sides.compare_ahead()
    mailboxes = sides.out / "mailboxes"
    sides.verify()
    assert mailboxes.read_text() == '["anna.b@example.org", 2, 3, 9, 3, 9]\n'
    (box(sides.tree("target")) / "3.").unlink()
    sides.verify()
    assert mailboxes.read_text() == '["anna.b@example.org", 2, 3, 9, 2, 6]\n'


def test_a_name_that_is_known_and_absent_is_a_difference(sides: Sides):
    """It goes while the origin tells of it: the folder is told in part, since another entry has changed."""
    sides.compare_ahead()
    (box(sides.tree("origin")) / "1.").chmod(0o604)
    lines = sides.told("list")
    (box(sides.tree("target")) / "Sent").rename(sides.folder / "away")
    sides.compare("list", lines)
    assert '"item": "' + f'{sides.place}/{BOX}/Sent"' in (sides.out / "differences").read_text()


def test_files_that_are_one_on_one_side_alone_differ_though_each_is_known(sides: Sides):
    """Each name is the same, and has two: only the groups differ."""
    origin, target = (box(sides.tree(side)) for side in ("origin", "target"))
    for tree, pairs in ((origin, ("ab", "cd")), (target, ("ac", "bd"))):
        for first, second in pairs:
            (tree / first).write_bytes(b"")
            os.utime(tree / first, ns=(1, 1))
            os.link(tree / first, tree / second)
        os.utime(tree, ns=(1, 1))
    sides.compare_ahead()
    assert sides.looked_at() == []
    assert {what for _, what in sides.verify()[0]} == {"hard link"}


@pytest.mark.parametrize("side", ["origin", "target"])
def test_where_numbers_have_other_names_nothing_is_known(sides: Sides, side: str):
    """It is as if someone had given root's number to another name."""
    sides.compare_ahead()
    (sides.folder / "sitecustomize.py").write_text(
        "import pwd\nold, old_all = pwd.getpwuid, pwd.getpwall\nother = lambda one: ('other', *one[1:])\n"
        "pwd.getpwuid = lambda number: other(old(number))\npwd.getpwall = lambda: list(map(other, old_all()))\n"
    )
    sides.names[side] = sides.folder
    wrong, sums = sides.verify()
    assert len(wrong) == sum(what == "owner" for _, what in wrong) == ALL
    assert sums["read before"] == 0


def test_where_more_is_to_be_read_nothing_is_known(sides: Sides):
    sides.choice = "1e18", "0"
    assert sides.compare_ahead()["by content"] == 0
    assert sides.looked_at() == []
    assert sides.verify()[1]["read before"] == 0
    sides.choice = "0", "100"
    assert len(sides.looked_at()) == ALL
    assert sides.verify()[1]["by content"] == FILES


def test_ahead_another_content_is_found_at_the_same_size_and_time(sides: Sides):
    rewrite_keeping_the_time(box(sides.tree("target")) / "Sent/2.", b"twO")
    sums = sides.compare_ahead()
    path = f"{sides.place}/{BOX}/Sent/2."
    assert (sides.out / "again").read_text() == path + "\0"
    assert (sums["differences"], sums["same content"]) == (1, FILES - 1)
    assert sides.looked_at() == ["2."]


def test_ahead_whatever_the_next_pass_brings_is_no_difference(sides: Sides):
    (box(sides.tree("target")) / "Sent/2.").unlink()
    (box(sides.tree("target")) / "1.").write_bytes(b"longer")
    (sides.tree("target") / "empty").chmod(0o700)
    sums = sides.compare_ahead()
    assert (sums["differences"], sums["same content"]) == (0, 1)
    assert sides.looked_at() == ["1.", "2.", "3.", "Sent", "empty"]


@pytest.mark.parametrize("fresh", ["origin", "target"])
def test_what_has_just_changed_on_either_side_is_not_known(sides: Sides, fresh: str):
    clock = {fresh: time.time()}
    lines = sides.told("ahead", clock.get("origin"))
    sums = sides.compare("ahead", lines, clock.get("target"))
    assert sums["same content"] == (0 if fresh == "origin" else FILES)
    assert len(sides.looked_at()) == ALL


def test_a_folder_is_not_known_as_a_whole_without_what_has_just_come(sides: Sides):
    fresh = sides.tree("origin") / "empty/fresh"
    fresh.touch()
    sides.compare("ahead", sides.told("ahead", now=fresh.stat().st_ctime + REST_SECONDS))
    assert ("empty/fresh", "existence") in sides.verify()[0]


def test_a_folder_is_not_known_as_a_whole_with_more_on_the_target(sides: Sides):
    (sides.tree("target") / "empty/more").touch()
    sides.compare_ahead()
    assert ("empty/more", "existence") in sides.verify()[0]


@pytest.mark.parametrize("side", ["origin", "target"])
def test_a_file_with_several_names_on_one_side_alone_is_not_known(sides: Sides, side: str):
    copy_instead_of_link(sides.tree(side))
    os.utime(box(sides.tree(side)) / "3.", ns=(1, (box(sides.tree(side)) / "1.").stat().st_mtime_ns))
    sides.compare_ahead()
    assert (f"{BOX}/3.", "hard link") in sides.verify()[0]


def test_folders_that_took_each_others_name_are_found_by_their_files(sides: Sides):
    for side in ("origin", "target"):
        for name in "xy":
            (sides.tree(side) / name).mkdir()
            (sides.tree(side) / name / "1.").write_text(name)
            for path in (name, f"{name}/1."):
                os.utime(sides.tree(side) / path, ns=(1, 1))
    sides.compare_ahead()
    tree = sides.tree("target")
    for name, other in (("x", "z"), ("y", "x"), ("z", "y")):
        (tree / name).rename(tree / other)
    assert {("x/1.", "content"), ("y/1.", "content")} <= sides.verify()[0]


def test_what_changes_while_it_is_looked_at_is_not_known(tree: Path, monkeypatch: pytest.MonkeyPatch):
    """Whether a file changes while its facts are told or compared, or another one comes."""
    chosen, key = Chosen(0, 100), Key()
    task, now, read = (str(tree), os.fsencode(box(tree) / "Sent"), None), time.time() + 60, ahead.digest
    monkeypatch.chdir(tree)
    line = json.loads(ahead.describe_ahead(now, chosen, key, task)[0])
    assert len(ahead.look_ahead(now, key, *line).known) == 2 * PAIR.size

    def meanwhile(change: Callable[[], object]) -> None:
        for module in (ahead, listing):
            monkeypatch.setattr(module, "digest", lambda path, found: (read(path, found), change())[0])

    meanwhile(lambda: Path("more").touch())
    told = json.loads(ahead.describe_ahead(now, chosen, key, task)[0])
    assert (list(told[3]), told[-1]) == (["2."], 0)
    meanwhile(lambda: Path("2.").chmod(0o604))
    assert ahead.look_ahead(now, key, *line).known == b""
    meanwhile(lambda: Path("2.").chmod(0o640))
    assert "2." not in json.loads(ahead.describe_ahead(now, chosen, key, task)[0])[3]


def test_a_list_ahead_that_was_cut_may_be_asked_for_again(sides: Sides):
    cut = b"".join(sides.told("ahead").splitlines(keepends=True)[:-1])
    with pytest.raises(subprocess.CalledProcessError) as failed:
        sides.compare("ahead", cut)
    assert failed.value.returncode == LOST
    assert len(sides.unchanged()) == FOLDERS * KEY_BYTES


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "in none"])
def test_a_pair_that_was_cut_is_dropped(sides: Sides, order: int):
    """A comparison that is killed leaves the last pair cut, and its pairs in no order."""
    sides.compare_ahead()
    known = sides.out / "known"
    told = known.read_bytes()
    pairs = [told[at : at + PAIR.size] for at in range(0, len(told), PAIR.size)]
    assert (len(pairs), pairs) == (ALL + FOLDERS, sorted(pairs))
    known.write_bytes(b"".join(pairs[::order]) + pairs[0][:-1])
    assert len(sides.unchanged()) == FOLDERS * KEY_BYTES
    known.write_bytes(b"".join(pairs[::order])[: -PAIR.size * 2 - 3])
    sides.compare_ahead()
    assert known.stat().st_size % PAIR.size == 0
    assert sides.looked_at() == []
