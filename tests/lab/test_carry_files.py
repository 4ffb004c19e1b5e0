"""The program that carries the trees over, while users work; each server is a mount namespace of this machine."""

import json
import os
import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import Process
from pathlib import Path

import pytest

from benchmarks.sides import Sides
from bmnb.transfer import files
from bmnb.transfer.asking import owners
from bmnb.transfer.programs import changes

pytestmark = pytest.mark.lab

FOLDERS, MESSAGES = 100, 8
PAUSE_SECONDS = 0.004
CHANCE = random.SystemRandom()


class Pair(Sides):
    """With a margin of 5 s nothing would be proven here; 500 entries are rarely gone."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.tree = self.of("origin")
        self.set("lists.py", "RACY_SECONDS = 5.0", "RACY_SECONDS = 0.05")
        self.set("choosing.py", "MANY = 500", "MANY = 50")

    def set(self, program: str, usual: str, here: str) -> None:
        path = self.programs / program
        text = path.read_text()
        assert usual in text
        path.write_text(text.replace(usual, here))

    def carry(self, services: str) -> dict[str, int]:
        done = subprocess.run(self.carrying(services), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)


class Linked(Pair):
    """The tree is a link to another place, on both servers or on one."""

    tree_is = "tree/named"

    def __init__(self, place: Path, linked: Sequence[str]) -> None:
        super().__init__(place)
        for side in ("origin", "target"):
            if side in linked:
                (self.of(side).parent / f"of {side}").mkdir()
                self.of(side).symlink_to(f"of {side}")
            else:
                self.of(side).mkdir()


def fill(tree: Path) -> None:
    for number in range(FOLDERS):
        folder = tree / f"a{number % 5}" / f"b{number % 25}" / f"c{number % 50}" / f"d{number}"
        folder.mkdir(parents=True)
        for name in range(MESSAGES):
            (folder / f"{name}.").write_bytes(os.urandom(500))


def work(tree: Path) -> None:
    """Deliver, move, delete, link, rewrite and rename, until the process is killed."""
    while True:
        folders = [Path(place) for place, _, _ in os.walk(tree)]
        for _ in range(50):
            time.sleep(CHANCE.random() * PAUSE_SECONDS)
            try:
                change(CHANCE.choice(folders), CHANCE.choice(folders))
            except FileNotFoundError:
                break


def change(folder: Path, other: Path) -> None:
    messages = [path for path in folder.iterdir() if path.is_file()]
    kind = CHANCE.choices(range(7), [10, 3, 3, 3, 3, 3, 0.2])[0] if messages else 0
    one = CHANCE.choice(messages) if messages else folder
    new = other / f"{CHANCE.randrange(10**9)}."
    if kind == 0:
        (folder / "stage").write_bytes(os.urandom(CHANCE.randrange(100, 3000)))
        (folder / "stage").rename(new)
    elif kind == 1:
        one.rename(new)
    elif kind == 2:
        one.unlink()
    elif kind == 3:
        os.link(one, new)
    elif kind == 4:
        before = one.stat()
        one.write_bytes(os.urandom(before.st_size))
        os.utime(one, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif kind == 5:
        with one.open("r+b") as file:
            file.write(os.urandom(16))
    elif folder.name.startswith("d"):
        folder.rename(folder.parent / f"d{CHANCE.randrange(10**9)}")


@contextmanager
def users(tree: Path) -> Iterator[None]:
    process = Process(target=work, args=(tree,))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


@contextmanager
def journal(pair: Pair) -> Iterator[None]:
    """Of all changes from here on."""
    process = subprocess.Popen(pair.watching())
    place = pair.place / "origin/lists" / changes.SOCKET
    try:
        while not place.exists():
            assert process.poll() is None
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """With mail on its origin."""
    made = Pair(tmp_path)
    fill(made.tree)
    return made


def test_nothing_is_lost_or_left_over_whatever_users_do_meanwhile(pair: Pair):
    with users(pair.tree):
        pair.carry("hot")
    cold = pair.carry("cold")
    assert pair.differing() == ""
    assert 0 < cold["transferred"] < cold["files"], "what is proven is not sent again"
    assert "folders looked at" not in cold


@pytest.mark.parametrize("hot_passes", [1, 2])
def test_with_a_journal_it_looks_where_users_have_changed_something(pair: Pair, hot_passes: int):
    with journal(pair):
        with users(pair.tree):
            for _ in range(hot_passes):
                pair.carry("hot")
            time.sleep(0.5)
        cold = pair.carry("cold")
    assert pair.differing() == ""
    assert cold["folders looked at"] > 0
    assert 0 < cold["transferred"] < cold["files"]


def test_a_journal_that_began_after_the_hot_pass_is_not_asked(pair: Pair):
    time.sleep(0.2)
    pair.carry("hot")
    (pair.tree / "a0/b0/c0/d0/0.").unlink()
    with journal(pair):
        cold = pair.carry("cold")
    assert cold["deleted"] == 1
    assert "folders looked at" not in cold


def test_a_moved_folder_is_moved_and_not_sent(pair: Pair):
    time.sleep(0.2)
    pair.carry("hot")
    (pair.tree / "a0").rename(pair.tree / "a1/moved")
    (pair.tree / "a1/moved/b0/c0/d0/0.").unlink()
    cold = pair.carry("cold")
    assert (cold["transferred"], cold["deleted"]) == (0, 1)
    assert pair.differing() == ""


@pytest.mark.parametrize("linked", [("origin",), ("target",), ("origin", "target")], ids=" and ".join)
def test_a_tree_that_is_a_link_is_carried_through_it(tmp_path: Path, linked: tuple[str, ...]):
    pair = Linked(tmp_path, linked)
    fill(pair.tree)
    (pair.tree / "link").symlink_to("/var/log")
    time.sleep(0.2)
    with journal(pair):
        pair.carry("hot")
        time.sleep(0.5)
        (pair.tree / "new").write_bytes(b"new")
        (pair.tree / "a0/b0/c0/d0/0.").unlink()
        (pair.tree / "a1").rename(pair.tree / "moved")
        pair.tree.chmod(0o750)
        time.sleep(0.5)
        cold = pair.carry("cold")
    assert pair.differing() == ""
    assert (cold["transferred"], cold["deleted"]) == (1, 1), "the moved folder is moved"
    assert cold["folders looked at"] > 0
    assert {side for side in ("origin", "target") if pair.of(side).is_symlink()} == {*linked}


def meanwhile(pair: Pair, script: str) -> None:
    """Do something on the origin once its trees were looked at, before files are packed there."""
    done = pair.place / "done"
    once = f"[ -e {done} ] || (touch {done}; cd {pair.seen}/tree; {script})"
    pair.set("carry_files.py", 'source = f"set -o', f'source = f"{once}; set -o')


BECOME = {
    "a folder that is new becomes a file": ("", "mkdir new; echo > new/x", "rm -r new; echo > new"),
    "a folder that was brought becomes a file": (
        "mkdir new; echo > new/x",
        "echo > new/y",
        "rm -r new; echo > new",
    ),
    "a file becomes a folder": ("echo > new", "echo 1 > new", "rm new; mkdir new; echo > new/x"),
    "a folder becomes a link": ("mkdir new; echo > new/x", "echo > new/y", "rm -r new; ln -s a0 new"),
    "a folder above becomes a file": (
        "mkdir -p new/b/c; echo > new/b/c/x",
        "echo > new/b/c/y",
        "rm -r new; echo > new",
    ),
    "a tree loses all": ("", "mkdir new; echo > new/x", "rm -r new"),
}


@pytest.mark.parametrize(("before", "then", "during"), BECOME.values(), ids=BECOME)
def test_what_becomes_something_else_during_a_hot_pass_is_left_to_the_next(
    pair: Pair, before: str, then: str, during: str
):
    def on_origin(script: str) -> None:
        subprocess.run(["bash", "-euc", script or "true"], cwd=pair.tree, check=True)

    on_origin(before)
    time.sleep(0.2)
    pair.carry("hot")
    on_origin(then)
    meanwhile(pair, during)
    pair.carry("hot")
    pair.carry("cold")
    assert pair.differing() == ""


def copy_as_the_document(pair: Pair) -> None:
    subprocess.run(["rsync", *files.OPTIONS.split(), f"{pair.tree}/", f"{pair.of('target')}/"], check=True)


ACCESS = b"\2\0\0\0" + b"".join(
    owners.ENTRY.pack(tag, mode, number)
    for tag, mode, number in (
        (1, 7, -1 % 2**32),
        (2, 4, 33),
        (4, 5, -1 % 2**32),
        (8, 6, 844),
        (16, 7, -1 % 2**32),
        (32, 5, -1 % 2**32),
    )
)
"""u:www-data:r and g:844:rw, which has no name, as of an access list."""


def beside(path: Path) -> tuple[object, ...]:
    """What a file has beside its content, and what it takes."""
    found = path.lstat()
    names = sorted(os.listxattr(path))
    return [os.getxattr(path, name) for name in names], names, found.st_uid, found.st_gid, found.st_mode


@pytest.mark.parametrize("engine", ["fast", "literal"])
def test_attributes_access_lists_capabilities_and_holes_come_with_a_file(tmp_path: Path, engine: str):
    """Larger files come by rsync with both."""
    pair = Pair(tmp_path)
    (pair.tree / "folder").mkdir()
    for name, size in (("small", 3 << 20), ("large", 60 << 20)):
        path = pair.tree / name
        path.write_bytes(b"begin")
        os.truncate(path, size)
        os.chown(path, 843, 12)
        path.chmod(0o6755)
        subprocess.run(["setcap", "cap_net_bind_service+ep", path], check=True)
        os.setxattr(path, "system.posix_acl_access", ACCESS)
        os.setxattr(path, "trusted.mark", b"\0value")
    os.setxattr(pair.tree / "folder", "system.posix_acl_default", ACCESS)
    if engine == "literal":
        copy_as_the_document(pair)
    else:
        pair.carry("hot")
        pair.carry("cold")
    for name in ("small", "large", "folder"):
        assert beside(pair.of("target") / name) == beside(pair.tree / name)
        assert (pair.of("target") / name).stat().st_blocks <= (pair.tree / name).stat().st_blocks + 16


class TwoTrees(Pair):
    """Those are two folders of what each server has."""

    def carrying(self, services: str) -> list[str]:
        *words, line = super().carrying(services)
        tree = f"{self.seen}/{self.tree_is}"
        return [*words, line.replace(f"{services} {tree} ", f"{services} {tree}/one {tree}/two ")]


def test_a_file_with_a_name_in_two_trees_is_one_file_on_the_target(tmp_path: Path):
    pair = TwoTrees(tmp_path)
    for name in ("one", "two"):
        for side in ("origin", "target"):
            (pair.of(side) / name).mkdir()
    (pair.tree / "one/mail").write_text("first")
    (pair.tree / "one/more").write_text("more")
    os.link(pair.tree / "one/mail", pair.tree / "two/mail")
    time.sleep(0.2)
    pair.carry("hot")
    assert pair.differing() == ""
    os.link(pair.tree / "one/more", pair.tree / "two/more")
    (pair.tree / "two/mail").write_text("second")
    pair.carry("cold")
    assert pair.differing() == ""
    mail, more = ((pair.of("target") / f"two/{name}").stat().st_nlink for name in ("mail", "more"))
    assert (mail, more) == (2, 2)
