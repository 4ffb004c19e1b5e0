"""Folders that were moved on the origin are found by their inodes, and moved on the target."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmnb.transfer.programs.moves import follow, move, moves_of

BEFORE = {b"1": b"/a", b"2": b"/a/x", b"3": b"/b"}


@pytest.mark.parametrize(
    ("after", "moves"),
    [
        ({b"1": b"/c", b"2": b"/c/x"}, {b"/a": b"/c"}),
        ({b"1": b"/c", b"2": b"/d"}, {b"/a": b"/c", b"/a/x": b"/d"}),
        ({b"1": b"/b", b"3": b"/a"}, {}),
        ({b"1": b"/c", b"3": b"/a/y"}, {b"/a": b"/c"}),
        ({b"9": b"/c"}, {}),
    ],
    ids=["with what is in it", "and one from it elsewhere", "each other", "another in its place", "none"],
)
def test_moves_are_found_that_need_no_order(after: dict[bytes, bytes], moves: dict[bytes, bytes]):
    assert moves_of(BEFORE, after) == moves


def test_a_path_is_followed_by_the_deepest_folder():
    moves = {b"/a": b"/c", b"/a/x": b"/d"}
    assert [follow(moves, path) for path in (b"/a/x/1", b"/a/xy", b"/b/a")] == [b"/d/1", b"/c/xy", b"/b/a"]


def test_no_move_goes_over_what_is_there_or_through_a_link(tmp_path: Path):
    for name in ("a", "b", "there", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    here = bytes(tmp_path)
    wanted = {b"a": b"there", b"b": b"link/b", b"gone": b"c"}
    assert move({here + b"/" + old: here + b"/" + new for old, new in wanted.items()}, [here]) == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "elsewhere", "link", "there"]


PLACES = ["a", "a/x", "a/x/y", "b", "b/x", "c"]
SOME = st.sampled_from([*PLACES, "a/y", "b/x/z", "c/a", "d"])


def folders(tree: Path) -> dict[bytes, bytes]:
    return {b"%d" % path.stat().st_ino: bytes(path) for path in tree.rglob("*") if path.is_dir()}


@settings(max_examples=200, deadline=None)
@given(changes=st.lists(st.tuples(SOME, SOME), max_size=6))
def test_what_was_in_a_folder_is_where_its_path_is_followed_to(changes: list[tuple[str, str]]):
    with TemporaryDirectory() as place:
        origin, target = Path(place).resolve() / "1", Path(place).resolve() / "2"
        for name in PLACES:
            (origin / name).mkdir(parents=True, exist_ok=True)
            (origin / name / "file").write_text(name)
        shutil.copytree(origin, target)
        before = folders(origin)
        for old, new in changes:
            if (
                (origin / old).exists()
                and not (origin / new).exists()
                and not f"{new}/".startswith(f"{old}/")
            ):
                (origin / new).parent.mkdir(parents=True, exist_ok=True)
                (origin / old).rename(origin / new)
        after = folders(origin)
        gone = {inode: path for inode, path in before.items() if not os.path.lexists(path)}
        made = {inode: path for inode, path in after.items() if path not in before.values()}
        there, here = bytes(origin), bytes(target)
        wanted = {
            old.replace(there, here): new.replace(there, here) for old, new in moves_of(gone, made).items()
        }
        done = move(wanted, [here])
        for name in PLACES:
            file = Path(os.fsdecode(follow(done, bytes(target / name / "file"))))
            assert file.read_text() == name
