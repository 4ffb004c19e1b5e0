"""What a look at the origin finds, against the manifest of what the target has."""

import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bmnb.transfer.programs.carry_files import LISTED, Lists, comparable, read, sums, symmetric

NAMES = ["one", "two", "deep/er/and/deeper/still/three", "new\nline", "deep/link a", "deep/er/link b"]


class Pair:
    """A tree of an origin and its copy on a target, whose listing comes under the origin's paths."""

    def __init__(self, place: Path) -> None:
        self.tree, self.copy = place / "origin", place / "target"
        self.lists = Lists(str(place / "lists"), 2, [str(self.tree)], live=True)
        for name in NAMES[:-1]:
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"content of {name}")
        os.link(self.tree / NAMES[-2], self.tree / NAMES[-1])
        self.lists = Lists(str(place / "lists"), 2, [str(self.tree)], live=True)

    def hot_pass(self) -> None:
        """Copy everything, and let the manifest be made; nothing changed shortly before."""
        self.lists.look()
        shutil.rmtree(self.copy, ignore_errors=True)
        subprocess.run(["cp", "-a", self.tree, self.copy], check=True)
        (Path(self.lists.folder) / "began").write_bytes(b"9999999999\0")
        self.lists.trust(io.BytesIO(self.listing()))

    def listing(self) -> bytes:
        listed = subprocess.run(["find", self.copy, *LISTED], stdout=subprocess.PIPE, check=True).stdout
        return listed.replace(bytes(self.copy), bytes(self.tree))

    def found(self) -> tuple[set[str], set[str]]:
        """Files to send and entries to delete, below the tree."""
        self.lists.look()
        told = self.lists.choose()
        sent = {path for kind in ("send", "links", "large") for path in self.listed(kind, told["groups"])}
        return sent, set(self.listed("deleted", told["groups"]))

    def listed(self, kind: str, groups: list[str]) -> list[str]:
        paths = [path for group in groups for path in read(self.lists.path(kind, group))]
        return [os.fsdecode(path)[len(str(self.tree)) + 1 :] for path in paths]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    made = Pair(tmp_path)
    made.hot_pass()
    return made


def test_all_is_sent_at_first(tmp_path: Path):
    pair = Pair(tmp_path)
    assert pair.found() == (set(NAMES), set())


def test_nothing_is_sent_where_nothing_changed(pair: Pair):
    assert pair.found() == (set(), set())


def test_what_rsync_overlooks_is_found(pair: Pair):
    """A rewrite of the same size within the second of the copied time, and a time put back after an edit."""
    for name, later in (("one", 0), (NAMES[2], 1_000_000)):
        path = pair.tree / name
        before = path.stat()
        path.write_text("CONTENT of " + name)
        os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns + later))
        assert path.stat().st_size == before.st_size
    assert pair.found() == ({"one", NAMES[2]}, set())


def test_deleted_renamed_and_moved_with_their_folder(pair: Pair):
    (pair.tree / "one").unlink()
    (pair.tree / "two").rename(pair.tree / "second")
    (pair.tree / "deep/er/and").rename(pair.tree / "moved")
    sent, deleted = pair.found()
    assert sent == {"second", "moved/deeper/still/three"}
    assert {"one", "two", NAMES[2], "deep/er/and"} <= deleted


def test_all_names_of_a_file_are_sent_with_a_new_one(pair: Pair):
    os.link(pair.tree / "deep/link a", pair.tree / "link c")
    assert pair.found() == ({"deep/link a", "deep/er/link b", "link c"}, set())


def test_a_file_that_became_a_folder_is_deleted_first(pair: Pair):
    (pair.tree / "one").unlink()
    (pair.tree / "one").mkdir()
    (pair.tree / "one/inside").write_text("x")
    assert pair.found() == ({"one/inside"}, {"one"})


def test_what_the_target_alone_has_is_deleted_and_what_it_lacks_is_sent(pair: Pair):
    (pair.copy / "stray").write_text("of the target")
    (pair.copy / "two").unlink()
    (pair.copy / "deep/er/link b").unlink()
    (pair.copy / "deep/er/link b").write_text(f"content of {NAMES[-2]}")
    pair.lists.trust(io.BytesIO(pair.listing()))
    sent, deleted = pair.found()
    assert sent == {"two", "deep/link a", "deep/er/link b"}
    assert deleted == {"stray"}


def test_what_changed_while_it_was_listed_is_not_trusted(pair: Pair):
    (Path(pair.lists.folder) / "began").write_bytes(b"0\0")
    pair.lists.trust(io.BytesIO(pair.listing()))
    assert pair.found()[0] == set(NAMES)


def test_nothing_of_a_tree_that_became_empty_is_deleted(pair: Pair):
    shutil.rmtree(pair.tree)
    pair.tree.mkdir()
    (pair.tree.parent / "other").mkdir()
    (pair.tree.parent / "other/file").write_text("x")
    trees = [str(pair.tree), str(pair.tree.parent / "other")]
    pair.lists = Lists(pair.lists.folder, 2, trees, live=False)
    pair.lists.look()
    assert pair.lists.choose()["deleted"] == 0


def test_names_of_one_file_are_comparable_between_servers(tmp_path: Path):
    """Three names of one file on one side; on the other, two and one of the same content."""
    lists = []
    for number, groups in enumerate((["abc"], ["ab", "c"])):
        place = tmp_path / str(number)
        place.mkdir()
        inodes = {name: group for group in groups for name in group}
        lines = [f"1.5 {ord(inodes[name][0])} {len(inodes[name])} f 1 2 600 u g {name}" for name in "abc"]
        (place / "list").write_text("".join(f"{line}\0" for line in lines))
        lists.append(list(comparable([str(place / "list")])))
    assert [one == other for one, other in zip(*lists, strict=True)] == [False, False, False]


def test_the_difference_of_two_listings_in_another_order():
    assert symmetric(iter([b"a", b"b", b"c"]), iter([b"c", b"a", b"d"])) == ({b"b"}, {b"d"})


def test_the_proof_reads_content_and_names(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("same")
        os.utime(tmp_path / name, ns=(1, 1))
    paths = [bytes(tmp_path / name) for name in ("a", "b", "absent")]
    apart = sums(paths)
    assert apart[2].startswith(b"absent")
    (tmp_path / "b").unlink()
    os.link(tmp_path / "a", tmp_path / "b")
    assert sums(paths)[1] != apart[1], "two names of one file are not two files"
    (tmp_path / "a").write_text("else")
    os.utime(tmp_path / "a", ns=(1, 1))
    assert sums(paths)[0] != apart[0]
