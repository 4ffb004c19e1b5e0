"""What files have beside their content is told before anything is touched, where no copy brings it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmnb.steps import Result, Verdict
from bmnb.transfer import left_behind
from bmnb.transfer.asking import inodes
from bmnb.transfer.programs.choosing import LARGE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="flags of files are root's")


def run(line: str) -> Result:
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True)
    return Result("origin", line, done.returncode, done.stdout, done.stderr)


def changed(*command: object) -> None:
    subprocess.run(list(map(str, command)), check=True)


@pytest.fixture
def trees(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """One tree is a folder, the other a link to another place."""
    for name in ("docs/deep", "disk", "etc"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "hsm").symlink_to("disk")
    yield str(tmp_path / "docs"), str(tmp_path / "hsm")
    changed("find", tmp_path, "(", "-type", "f", "-o", "-type", "d", ")", "-exec", "chattr", "-ia", "{}", "+")


def seen(trees: tuple[str, str], literal: bool = True) -> Verdict:
    globs = [str(Path(trees[0]).parent / "etc/*")]
    return left_behind.all_carried(run(left_behind.look(trees, globs, literal)))


def items(verdict: Verdict) -> dict[str, str]:
    return {Path(one["item"]).name: one["what"] for one in verdict.items}


def test_a_tree_like_any_other_loses_nothing(trees: tuple[str, str]):
    docs = Path(trees[0])
    (docs / "one").write_text("x")
    os.link(docs / "one", docs / "two")
    (docs / "dangling").symlink_to("/nowhere")
    os.mkfifo(docs / "fifo")
    assert seen(trees) == Verdict(True, "none")
    assert seen((trees[0], "/not/there")).holds


def test_flags_of_files_folders_and_configuration_are_named(trees: tuple[str, str], tmp_path: Path):
    docs, hsm = map(Path, trees)
    for path, flag in (
        (docs / "deep/line\nbreak", "+i"),
        (docs / "log", "+a"),
        (hsm / "archive", "+i"),
        (tmp_path / "etc/main.cf", "+i"),
    ):
        path.touch()
        changed("chattr", flag, path)
    changed("chattr", "+a", docs / "deep")
    immutable, append = "immutable (chattr +i)", "append-only (chattr +a)"
    told = seen(trees)
    assert (told.holds, told.made) == (False, True)
    assert items(told) == {
        "line\nbreak": immutable,
        "log": append,
        "deep": append,
        "archive": immutable,
        "main.cf": immutable,
    }
    assert "5 are not carried" in told.seen


def test_what_is_append_only_on_the_target_is_in_the_way(trees: tuple[str, str]):
    log = Path(trees[0]) / "log"
    log.touch()
    look = left_behind.look(trees, [], False)
    assert left_behind.can_be_replaced(run(look)).holds
    changed("chattr", "+a", log)
    assert left_behind.can_be_replaced(run(look)).seen == str(log)


def test_a_file_with_names_in_several_trees_is_named_where_rsync_makes_two_of_it(trees: tuple[str, str]):
    docs, hsm = map(Path, trees)
    for name, size in (("small", 5), ("large", LARGE)):
        (docs / name).touch()
        os.truncate(docs / name, size)
        os.link(docs / name, hsm / name)
    os.mkfifo(docs / "fifo")
    os.link(docs / "fifo", hsm / "fifo")
    what = f"a hard link to a file in {docs}"
    assert items(seen(trees)) == dict.fromkeys(("small", "large", "fifo"), what)
    assert items(seen(trees, literal=False)) == dict.fromkeys(("large", "fifo"), what)


def test_what_could_not_be_looked_at_is_not_all_right():
    for judge in (left_behind.all_carried, left_behind.can_be_replaced):
        assert not judge(Result("origin", "", 1, "", "no such program")).made


def test_a_project_of_a_quota_is_named_by_tree(trees: tuple[str, str], monkeypatch: pytest.MonkeyPatch):
    """Here no file system has projects."""
    (Path(trees[1]) / "file").touch()
    monkeypatch.setattr(inodes, "marks", lambda opened: ([], 42))
    (found,) = inodes.findings(0, [os.fsencode(trees[1])])
    assert found == {
        "item": trees[1],
        "what": f"project 42 of a quota, 2 files and folders, first {trees[1]}",
    }
