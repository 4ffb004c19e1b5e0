"""What a look at the origin finds, against the manifest of what the target has."""

import io
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmnb.transfer.programs import carry_files, choosing, lists, moves
from bmnb.transfer.programs.carry_files import CREATE, EXTRACT, LOST, Carrier
from bmnb.transfer.programs.choosing import Choice
from bmnb.transfer.programs.facts import sums
from bmnb.transfer.programs.lines import read, write
from bmnb.transfer.programs.lists import Lists

NAMES = ["one", "two", "deep/er/and/deeper/still/three", "new\nline", "deep/link a", "deep/er/link b"]
TICK = 0.02
"""Seconds in which a change may not show in ctime here; the programs' own margin is far larger."""


@pytest.fixture(autouse=True, scope="module")
def little_margin() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "RACY_SECONDS", TICK)
        patch.setattr(os, "sync", lambda: None)
        yield


class Pair:
    """A tree of an origin and its copy on a target, whose list comes under the origin's paths."""

    def __init__(self, place: Path) -> None:
        self.tree, self.copy = place / "origin", place / "target"
        for name in NAMES[:-1]:
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"content of {name}")
        os.link(self.tree / NAMES[-2], self.tree / NAMES[-1])
        self.copy.mkdir()
        self.lists = Lists(str(place / "lists"), 2, [str(self.tree)], live=True)
        self.carrier = Carrier(str(place / "carrier"), 2, [str(self.copy)], True, [], 2)
        time.sleep(3 * TICK)

    def hot_pass(self) -> None:
        self.trust()
        self.look()
        self.bring()
        self.trust()

    def trust(self) -> None:
        listed = b"".join(one + b"\0" for one in self.carrier.listed())
        self.lists.trust(io.BytesIO(listed.replace(bytes(self.copy), bytes(self.tree))))

    def look(self) -> None:
        write(self.carrier.mark, [])
        time.sleep(TICK)
        self.lists.look()
        self.told = Choice(self.lists).make(move_first=True)
        if "moves" in self.told:
            self.lists.follow(self.move(), done=True)
            self.told = Choice(self.lists).make()

    def move(self) -> moves.Moves:
        there, here = bytes(self.tree), bytes(self.copy)
        told = moves.as_moves(os.fsencode(path).replace(there, here) for path in self.told["moves"])
        done = moves.move(told, [here])
        return {old.replace(here, there): new.replace(here, there) for old, new in done.items()}

    def bring(self, some: Callable[[str], bool] = lambda _: True) -> bool:
        """Delete and send what was chosen, or what of it comes before the pass is killed; False where tar fails."""
        self.carrier.delete(os.fsencode(self.copy / name) for name in filter(some, self.listed("deleted")))
        chosen = [*self.listed("folders"), *self.files()]
        line = f"cd $0 && {CREATE} --ignore-failed-read | (cd $1 && {EXTRACT})"
        done = subprocess.run(
            ["bash", "-c", line, self.tree, self.copy],
            input=b"".join(os.fsencode(f"./{name}") + b"\0" for name in filter(some, chosen)),
            check=False,
            capture_output=True,
        )
        return done.returncode == 0

    def cold_pass(self) -> None:
        """As the carrier does it, which reads again on both servers what was sent and deleted."""
        self.look()
        assert self.bring()
        names = [*self.listed("folders"), *self.files()]
        there, here = (sums([os.fsencode(side / name) for name in names]) for side in (self.tree, self.copy))
        assert [name for name, one, other in zip(names, there, here, strict=True) if one != other] == []

    def found(self) -> tuple[set[str], set[str]]:
        """Files to send and entries to delete, below the tree."""
        self.look()
        return set(self.files()), set(self.listed("deleted"))

    def files(self) -> list[str]:
        return [path for kind in ("send", "links", "large") for path in self.listed(kind)]

    def listed(self, kind: str) -> list[str]:
        paths = [path for group in self.told["groups"] for path in read(self.lists.path(kind, group))]
        return [os.fsdecode(path)[len(str(self.tree)) + 1 :] for path in paths]

    def differing(self) -> str:
        """What an rsync that reads all content would still change."""
        command = ["rsync", "-aHAXin", "--checksum", "--modify-window=-1", "--delete"]
        done = subprocess.run([*command, f"{self.tree}/", self.copy], stdout=subprocess.PIPE, check=True)
        return done.stdout.decode()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    made = Pair(tmp_path)
    made.hot_pass()
    return made


@pytest.fixture
def long_margin(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever changes from now on changes shortly before it is listed."""
    time.sleep(0.1)
    began = time.time()
    monkeypatch.setattr(lists.time, "time", lambda: began)


def test_all_is_sent_at_first(tmp_path: Path):
    pair = Pair(tmp_path)
    assert pair.found() == (set(NAMES), set())


def test_of_each_tree_it_is_told_what_there_is_and_what_is_sent_and_deleted(tmp_path: Path):
    mail, sieve = tmp_path / "mail", tmp_path / "sieve"
    for path, size in (
        (mail / "a/1.", 10),
        (mail / "a/2.", 20),
        (mail / f"b {mail}/3.", 5),
        (sieve / "s", 7),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    (tmp_path / "absent").mkdir()
    trees = [str(mail), str(tmp_path / "absent"), str(sieve)]
    listed = Lists(str(tmp_path / "lists"), 2, trees, live=True)
    listed.look()
    told = Choice(listed).make()
    files = 1 + len(list(mail.rglob("*")))
    assert told["parts"] == [
        part(str(mail), files=files, bytes=35, transferred=3),
        part(str(sieve), files=2, bytes=7, transferred=1),
    ]
    assert (told["files"], told["bytes"], told["transferred"]) == (files + 2, 42, 4)


def part(tree: str, files: int, bytes: int, transferred: int, deleted: int = 0) -> dict[str, Any]:
    """Of a tree of which all is sent."""
    sent = {"transferred": transferred, "deleted": deleted, "changed bytes": bytes, "line bytes": bytes}
    return {"tree": tree, "how": "fast", "files": files, "bytes": bytes, **sent}


def test_what_a_journal_leaves_out_is_counted_with_its_tree(pair: Pair, monkeypatch: pytest.MonkeyPatch):
    pair.hot_pass()
    [whole] = pair.told["parts"]
    (pair.tree / "one").unlink()
    (pair.tree / "two").write_text("longer than it was")
    monkeypatch.setattr(lists, "changed_since", lambda *_: [bytes(pair.tree)])
    pair.lists.look(everywhere=False)
    told = Choice(pair.lists).make()
    assert told["folders looked at"] == 1
    gone, more = len("content of one"), len("longer than it was") - len("content of two")
    assert told["parts"] == [
        {
            **whole,
            **{"files": whole["files"] - 1, "bytes": whole["bytes"] - gone + more, "deleted": 1},
            **dict.fromkeys(("changed bytes", "line bytes"), len("longer than it was")),
            "transferred": 1,
        }
    ]


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


def test_all_names_of_a_file_are_sent_when_the_folder_of_one_is_renamed(pair: Pair):
    (pair.tree / "deep/er").rename(pair.tree / "deep/else")
    assert pair.found()[0] == {"deep/link a", "deep/else/link b", "deep/else/and/deeper/still/three"}
    pair.bring()
    assert pair.differing() == ""


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One entry that is gone is much."""
    monkeypatch.setattr(choosing, "MANY", 1)


def test_of_a_moved_folder_only_what_changed_is_sent(pair: Pair, at_once: None):
    (pair.tree / "deep/er/new").write_text("came")
    (pair.tree / "deep/er").rename(pair.tree / "far")
    (pair.tree / "far/and").rename(pair.tree / "deep/away")
    assert pair.found() == ({"far/new"}, set())
    pair.bring()
    assert pair.differing() == ""
    assert pair.found() == ({"far/new"}, set()), "the next hot pass proves it"
    pair.hot_pass()
    assert pair.found() == (set(), set())


def test_what_went_from_a_folder_after_a_killed_pass_moved_it_goes_too(pair: Pair, at_once: None):
    (pair.tree / "deep/er").rename(pair.tree / "far")
    pair.lists.look()
    pair.told = Choice(pair.lists).make(move_first=True)
    assert pair.move()
    shutil.rmtree(pair.tree / "far/and")
    pair.look()
    pair.bring()
    assert pair.differing() == ""


def test_what_tar_leaves_out_rsync_copies(pair: Pair):
    with socket.socket(socket.AF_UNIX) as lmtp:
        lmtp.bind(os.path.relpath(pair.tree / "lmtp"))
    pair.look()
    assert pair.listed("large") == ["lmtp"]
    assert pair.told["large"] == 1


def test_what_is_no_usual_file_comes_as_it_is(pair: Pair):
    (pair.tree / "out").symlink_to("/var/log")
    with (pair.tree / "holes").open("wb") as file:
        file.truncate(50 << 20)
    os.mkfifo(pair.tree / "single")
    pair.cold_pass()
    assert pair.listed("large") == []
    assert (pair.copy / "holes").stat().st_blocks < 100
    assert pair.differing() == ""


def test_of_a_fifo_with_several_names_tar_would_make_several(pair: Pair):
    os.mkfifo(pair.tree / "fifo")
    os.link(pair.tree / "fifo", pair.tree / "deep/fifo")
    pair.look()
    assert sorted(pair.listed("large")) == ["deep/fifo", "fifo"]


def test_a_file_that_became_a_folder_is_deleted_first(pair: Pair):
    (pair.tree / "one").unlink()
    (pair.tree / "one").mkdir()
    (pair.tree / "one/inside").write_text("x")
    assert pair.found() == ({"one/inside"}, {"one"})


BECOMES = {
    "a folder becomes a file": "rm -r deep/er; echo > deep/er",
    "a folder becomes a link within its tree": "mv deep/er away; ln -s ../away deep/er",
    "a folder becomes a link out of its tree, to where the same names are": (
        "cp -a deep/er ../elsewhere; rm -r deep/er; ln -s ../../elsewhere deep/er"
    ),
    "a folder becomes a FIFO": "rm -r deep/er; mkfifo deep/er",
    "a file becomes a folder": "rm two; mkdir -p two/and; echo > two/and/more",
    "a link becomes a folder": "rm link; mkdir -p link/and; echo > link/and/three",
    "a link becomes a file": "rm link; echo > link",
    "two folders change their names": "mv deep/er x; mv deep y; mv x deep; mv y deep/er",
    "a folder takes the place of the one that it was in": "mv deep/er x; rm -r deep; mv x deep",
}


@pytest.mark.parametrize("change", BECOMES.values(), ids=BECOMES)
@pytest.mark.parametrize("many", [1, 500], ids=["moving", "sending"])
@pytest.mark.parametrize("is_brought", [False, True], ids=["at once", "after a pass that was killed"])
def test_what_a_path_is_in_may_be_no_folder_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, many: int, is_brought: bool
):
    monkeypatch.setattr(choosing, "MANY", many)
    pair = Pair(tmp_path)
    (pair.tree / "link").symlink_to("deep")
    pair.hot_pass()
    subprocess.run(["sh", "-ec", change], cwd=pair.tree, check=True)
    if is_brought:
        pair.look()
        pair.bring()
    pair.cold_pass()
    assert pair.differing() == ""


def test_what_a_link_on_the_target_leads_to_is_left(pair: Pair, tmp_path: Path):
    """A killed pass has put it there, and the manifest tells of the folder that it was."""
    shutil.rmtree(pair.tree / "deep/er")
    shutil.rmtree(pair.copy / "deep/er")
    (tmp_path / "log/and/deeper").mkdir(parents=True)
    (tmp_path / "log/link b").write_text("of the target's own")
    for side in (pair.tree, pair.copy):
        (side / "deep/er").symlink_to(tmp_path / "log")
    pair.cold_pass()
    assert (tmp_path / "log/link b").exists()
    assert pair.differing() == ""


def test_what_the_target_alone_has_is_deleted_and_what_it_lacks_is_sent(pair: Pair):
    (pair.copy / "stray").write_text("of the target")
    (pair.copy / "two").unlink()
    (pair.copy / "deep/er/link b").unlink()
    (pair.copy / "deep/er/link b").write_text(f"content of {NAMES[-2]}")
    pair.trust()
    sent, deleted = pair.found()
    assert sent == {"two", "deep/link a", "deep/er/link b"}
    assert deleted == {"stray"}


def test_nothing_of_a_tree_that_became_empty_is_deleted(pair: Pair):
    shutil.rmtree(pair.tree)
    pair.tree.mkdir()
    (pair.tree.parent / "other").mkdir()
    (pair.tree.parent / "other/file").write_text("x")
    trees = [str(pair.tree), str(pair.tree.parent / "other")]
    pair.lists = Lists(pair.lists.folder, 2, trees, live=False)
    pair.lists.look()
    assert Choice(pair.lists).make()["deleted"] == 0


def test_what_changed_just_before_it_was_listed_is_sent_once_more(pair: Pair, long_margin: None):
    (pair.tree / "one").write_text("changed")
    pair.hot_pass()
    assert pair.found() == ({"one"}, set())


def test_what_came_just_before_it_was_listed_and_went_since_is_deleted(pair: Pair, long_margin: None):
    (pair.tree / "mail").write_text("delivered")
    pair.hot_pass()
    assert (pair.copy / "mail").exists()
    (pair.tree / "mail").unlink()
    assert pair.found() == (set(), {"mail"})


def test_a_time_put_back_between_two_hot_passes(pair: Pair):
    put_back(pair.tree / "one")
    time.sleep(3 * TICK)
    pair.trust()
    pair.look()
    assert pair.files() == ["one"]
    pair.trust()
    assert pair.found() == ({"one"}, set()), "it was not sent"
    pair.hot_pass()
    assert pair.found() == (set(), set())


def test_a_killed_pass_sends_what_has_not_come_again(tmp_path: Path):
    pair = Pair(tmp_path)
    pair.trust()
    pair.look()
    pair.bring(lambda name: name.startswith("deep"))
    pair.trust()
    assert pair.found() == ({"one", "two", "new\nline"}, set())


def test_what_a_killed_pass_has_sent_is_deleted_when_it_is_gone(pair: Pair):
    (pair.tree / "mail").write_text("delivered")
    pair.look()
    pair.bring()
    (pair.tree / "mail").unlink()
    assert pair.found()[1] == {"mail"}


def test_nothing_that_the_origin_has_is_deleted(pair: Pair):
    """A folder that is written to while it is listed may be told of twice."""
    listed = Path(pair.lists.path("manifest", "upper"))
    listed.write_bytes(listed.read_bytes() * 20_000)
    assert pair.found()[1] == set()


def test_of_a_tree_that_is_empty_on_the_origin_the_target_s_own_is_left(tmp_path: Path):
    pair = Pair(tmp_path)
    (pair.copy / "stray").write_text("of the target")
    shutil.rmtree(pair.tree)
    pair.tree.mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").write_text("x")
    pair.lists = Lists(pair.lists.folder, 2, [str(pair.tree), str(tmp_path / "other")], live=True)
    pair.trust()
    assert pair.found()[1] == set()


def test_where_all_trees_are_empty_nothing_is_listed(tmp_path: Path):
    with pytest.raises(SystemExit, match="empty"):
        Lists(str(tmp_path / "lists"), 2, [str(tmp_path / "absent")], live=True).look()


@pytest.mark.parametrize(
    ("sends", "status"), [("head -c 5000; exit 0", LOST), ("head -c 5000; exit 137", 1)], ids=["line", "tar"]
)
def test_an_archive_that_a_lost_connection_has_cut_is_sent_anew(tmp_path: Path, sends: str, status: int):
    """tar's end may be told before the last of what it sent; where it was killed on the origin, somebody did that."""
    (tmp_path / "large").write_bytes(os.urandom(100_000))
    (tmp_path / "list").write_bytes(bytes(tmp_path / "large") + b"\0")
    ssh = ["bash", "-c", f'eval "$0" | {sends}']
    carrier = Carrier(str(tmp_path), 2, [str(tmp_path)], True, ssh, 2)

    class Nobody:
        def follow(self, put: subprocess.Popen[bytes]) -> None:
            put.communicate()

    with pytest.raises(SystemExit) as given_up:
        carrier.tar(["list"], Nobody())
    assert given_up.value.code == status


def test_a_list_that_was_cut_is_refused(pair: Pair):
    with pytest.raises(SystemExit, match="cut"):
        pair.lists.trust(io.BytesIO(b"1 2 1 f 3 4 600 u g /one\0"))


def put_back(path: Path) -> None:
    """Rewrite a file at its size and time."""
    before = path.stat()
    path.write_bytes(os.urandom(before.st_size))
    os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))


FEW = st.sampled_from(["a", "b", "d/a", "d/b", "e/f/g/h/a", "e/f/g/h/b"])
FOLDERS = st.sampled_from(["d", "e", "e/f", "e/f/g/h", "m", "m/n"])
CHANGES = st.one_of(
    st.tuples(st.sampled_from(["write", "delete", "put back", "mode"]), FEW, FEW),
    st.tuples(st.sampled_from(["link", "rename"]), FEW, FEW),
    st.tuples(st.sampled_from(["rename folder", "moved and linked", "link instead"]), FOLDERS, FOLDERS),
    st.tuples(st.sampled_from(["file instead", "folder instead"]), st.one_of(FOLDERS, FEW), FEW),
)


def change(tree: Path, kind: str, name: str, other: str) -> None:
    """What users do to a tree; nothing where the name is not there, or what it is in is no folder."""
    path, second = tree / name, tree / other
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        second.parent.mkdir(parents=True, exist_ok=True)
        do(kind, path, second)


def do(kind: str, path: Path, second: Path) -> None:
    if kind in INSTEAD:
        remove(path)
        INSTEAD[kind](path, second)
    elif kind == "write":
        if not path.is_dir():
            path.write_text(f"{time.time_ns()}")
    elif not path.exists() or path == second or path.is_dir() != ("folder" in kind or "moved" in kind):
        return
    elif kind == "moved and linked":
        if not os.path.lexists(second) and path not in second.parents and not path.is_symlink():
            path.rename(second)
            path.symlink_to(second)
    elif kind == "delete":
        path.unlink()
    elif kind == "put back":
        put_back(path)
    elif kind == "mode":
        path.chmod(path.stat().st_mode ^ 0o040)
    elif kind == "rename":
        path.rename(second)
    elif kind == "rename folder":
        if not os.path.lexists(second) and path not in second.parents:
            path.rename(second)
    elif not os.path.lexists(second):
        os.link(path, second)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def put_folder(path: Path, _: Path) -> None:
    (path / "inside").mkdir(parents=True)
    (path / "inside/a").write_text("in a folder")


INSTEAD: dict[str, Callable[[Path, Path], Any]] = {
    "file instead": lambda path, _: path.write_text("a file"),
    "folder instead": put_folder,
    "link instead": lambda path, other: path.symlink_to(other),
}
"""What may take the place of whatever was there."""


MOMENTS = 6


@settings(max_examples=15)
@given(
    moments=st.lists(st.lists(CHANGES, max_size=4), min_size=MOMENTS, max_size=MOMENTS),
    killed_after=st.sampled_from([None, "", "a", "d", "e"]),
    margin=st.sampled_from([TICK, 60.0]),
    many=st.sampled_from([1, 500]),
)
def test_whatever_changes_while_passes_run_the_cold_one_makes_it_equal(moments, killed_after, margin, many):
    """Changes before, between and within passes, the second of which may be killed when a part has come."""
    changes = iter(moments)
    with TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "RACY_SECONDS", margin)
        patch.setattr(choosing, "MANY", many)
        pair = Pair(Path(place))

        def users() -> None:
            for one in next(changes):
                change(pair.tree, *one)

        users()
        pair.hot_pass()
        users()
        pair.trust()
        users()
        pair.look()
        users()
        # what becomes a file just then has the pass fail, and the next one begins anew
        has_come = pair.bring(lambda name: killed_after is None or name.startswith(killed_after))
        users()
        if killed_after is None and has_come:
            pair.trust()
        else:
            pair.hot_pass()
        users()
        pair.cold_pass()
        assert pair.differing() == ""


@pytest.mark.parametrize(
    ("said", "goes_on"),
    [
        (
            b"tar: /a/b: Cannot open: File exists\ntar: Exiting with failure status due to previous errors\n",
            True,
        ),
        (b"tar: /a/b: Cannot hard link to '/a/c': No such file or directory\n", True),
        (b"tar: /a/b: Cannot open: File exists\ntar: /a/c: Wrote only 512 of 10240 bytes\n", False),
        (b"tar: /a/b: Cannot open: No space left on device\n", False),
        (b"", False),
    ],
)
def test_a_pass_goes_on_only_where_something_else_stands_in_the_way(said: bytes, goes_on: bool):
    assert carry_files.in_the_way(said) is goes_on
