"""What is named is compared through links; a comparison that saw nothing of a tree does not hold."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bmnb.steps import Result
from bmnb.verification import files
from tests.verification.sides import Sides, compared, told


def behind_link(sides: Sides, side: str) -> None:
    tree = sides.tree(side)
    tree.rename(tree.with_name("elsewhere"))
    tree.symlink_to("elsewhere")


@pytest.mark.parametrize("linked", [("origin",), ("target",), ("origin", "target")], ids=" and ".join)
def test_a_tree_behind_a_link_is_compared(sides: Sides, linked: tuple[str, ...]):
    for side in linked:
        behind_link(sides, side)
    differing, sums = sides.verify()
    assert (differing, sums["entries"] > 5) == (set(), True)
    (sides.tree("target") / "empty").rmdir()
    assert ("empty", "existence") in sides.verify()[0]


def test_where_the_link_alone_came_all_that_is_behind_it_differs(sides: Sides):
    behind_link(sides, "origin")
    shutil.rmtree(sides.tree("target"))
    sides.tree("target").symlink_to("elsewhere")
    assert ("p", "existence") in sides.verify()[0]


def test_what_was_compared_ahead_through_a_link_is_not_read_again(sides: Sides):
    for side in ("origin", "target"):
        behind_link(sides, side)
    ahead = sides.compare_ahead()
    assert ahead["same content"] > 0
    assert sides.looked_at() == []
    (sides.tree("origin") / "empty/new").write_text("new")
    assert "new" in sides.looked_at()


def test_a_link_below_a_tree_stays_a_link(sides: Sides):
    link = sides.tree("target") / "link"
    link.unlink()
    link.symlink_to("empty")
    assert ("link", "leads to") in sides.verify()[0]


@pytest.mark.parametrize("lead", [True, False])
def test_configuration_is_compared_through_every_link(tmp_path: Path, lead: bool):
    etc = tmp_path / "etc"
    (etc / "folder").mkdir(parents=True)
    (etc / "live").write_text("a certificate")
    (etc / "cert").symlink_to("live")
    place = files.followed(f"+{etc}/*")
    lines = told(place)
    (etc / "cert").unlink()
    (etc / "cert").write_text("a certificate" if lead else "another one")
    shutil.copystat(etc / "live", etc / "cert")
    out = tmp_path / "out"
    out.mkdir()
    found, _ = compared(lines, out)
    assert {one["item"] for one in found if one["what"] != "modified"} == (set() if lead else {f"{etc}/cert"})


def said(entries: int) -> Result:
    sums = {"differences": 0, "read before": 0, "same content": 0, "places": {"/tree": entries}}
    return Result("target", "", 0, json.dumps(sums))


@pytest.mark.parametrize(
    ("entries", "state", "holds"),
    [
        (2, "present", True),
        (1, "present", False),
        (0, "present", False),
        (1, "empty", True),
        (0, "absent", True),
    ],
)
def test_of_a_tree_with_files_some_must_be_compared(entries: int, state: str, holds: bool):
    counted = Result("origin", "", 0, f"/tree {state}\n")
    assert files.no_tree_differs(100, said(entries), counted).holds is holds


def test_what_differed_is_copied_again_through_the_link(tmp_path: Path):
    tree, there = tmp_path / "tree", tmp_path / "origin"
    far = there / str(tree).lstrip("/")
    for folder in (far, tmp_path / "disk"):
        (folder / "a").mkdir(parents=True)
    tree.symlink_to("disk")
    (far / "a/one").write_text("new")
    (tree / "a/one").write_text("old")
    (tree / "a/only here").write_text("old")
    (far / "not named").write_text("new")
    out = tmp_path / "work/trees"
    out.mkdir(parents=True)
    names = [f"{tree}/a/one", f"{tree}/a/only here", f"{tree}"]
    (out / "again").write_bytes(b"".join(name.encode() + b"\0" for name in names))
    far.chmod(0o750)
    line = files.copy_again(str(tmp_path / "work"), "origin", [str(tree)], "trees")
    subprocess.run(["bash", "-c", line.replace("root@origin:", str(there))], check=True)
    assert tree.is_symlink()
    assert sorted(path.name for path in (tree / "a").iterdir()) == ["one"]
    assert (tree / "a/one").read_text() == "new"
    assert tree.stat().st_mode & 0o777 == 0o750
    assert not (out / "again").exists()


def test_a_file_with_names_in_two_trees_is_one_file_on_both(tmp_path: Path):
    (tmp_path / "out").mkdir()
    trees = [tmp_path / name for name in ("bm-docs", "bm-hsm")]
    for tree in trees:
        tree.mkdir()
    (trees[0] / "a").write_text("one")
    (trees[1] / "b").hardlink_to(trees[0] / "a")
    lines = told(*map(str, trees))
    assert compared(lines, tmp_path / "out")[0] == []
    (trees[1] / "b").unlink()
    shutil.copy2(trees[0] / "a", trees[1] / "b")
    differing, _ = compared(lines, tmp_path / "out")
    assert [one["what"] for one in differing if one["what"] == "hard link"] != []
