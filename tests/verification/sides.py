"""The program as it runs on either server; whatever is changed in between differs."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bmnb.verification.files import PROGRAMS

AT = "import time; time.time = lambda: {}; from comparing.__main__ import main; main()"


def program(*words: str, told: bytes = b"", now: float | None = None, names: Path | None = None) -> bytes:
    """Run it, with another clock where one is given, and with a folder of modules in which users have other names."""
    run = ["-m", PROGRAMS.name] if now is None else ["-c", AT.format(now)]
    env = {**os.environ, "PYTHONPATH": str(names)} if names else None
    command = [sys.executable, *run, *words]
    return subprocess.run(
        command, cwd=PROGRAMS.parent, input=told, capture_output=True, check=True, env=env
    ).stdout


def told(*places: str, since: float = 0, percent: int = 100) -> bytes:
    return program("list", str(since), str(percent), *places)


def compared(lines: bytes, folder: Path) -> tuple[list[dict[str, str]], dict[str, int]]:
    sums = json.loads(program("compare", "list", str(folder), told=lines))
    return differences(folder), sums


def differences(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "differences").read_text().splitlines()]


class Sides:
    """Two servers with the same tree under the same path: a link leads to that of the server whose turn it is."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out, self.link = folder, folder / "out", folder / "here"
        self.place, self.names = str(self.link / "tree"), dict[str, Path]()
        self.choice = "0", "100"
        self.out.mkdir()

    def tree(self, side: str) -> Path:
        return self.folder / side / "tree"

    def program(self, side: str, *words: str, told: bytes = b"", now: float | None = None) -> bytes:
        """Without a clock all has rested for long."""
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(side)
        later = time.time() + 3600
        return program(*words, told=told, now=now or later, names=self.names.get(side))

    def unchanged(self) -> bytes:
        return self.program("target", "unchanged", str(self.out), self.place)

    def told(self, how: str, now: float | None = None) -> bytes:
        """What the origin tells, given what is unchanged on the target."""
        return self.program("origin", how, *self.choice, self.place, told=self.unchanged(), now=now)

    def compare(self, how: str, lines: bytes, now: float | None = None) -> dict[str, int]:
        sums: dict[str, int] = json.loads(
            self.program("target", "compare", how, str(self.out), told=lines, now=now)
        )
        return sums

    def compare_ahead(self) -> dict[str, int]:
        return self.compare("ahead", self.told("ahead"))

    def verify(self) -> tuple[set[tuple[str, str]], dict[str, int]]:
        """What differs, by path in the tree and fact; the sums."""
        sums = self.compare("list", self.told("list"))
        return {
            (one["item"].removeprefix(f"{self.place}/"), one["what"]) for one in differences(self.out)
        }, sums

    def looked_at(self) -> list[str]:
        """The names that the origin tells with their facts in the downtime."""
        lines = [json.loads(line) for line in self.told("list").splitlines()[:-1]]
        return sorted(name for line in lines for name in line[3])


def both(tree: Path) -> Sides:
    """Two servers with a copy of a tree, whose name is `tree`."""
    for side in ("origin", "target"):
        (tree.parent / side).mkdir()
        subprocess.run(["cp", "-a", tree, tree.parent / side], check=True)
    return Sides(tree.parent)


def rewrite_keeping_the_time(path: Path, content: bytes) -> None:
    moment = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(moment, moment))


def box(tree: Path) -> Path:
    return tree / "p/domain/e/example.org/a/user/anna^b"
