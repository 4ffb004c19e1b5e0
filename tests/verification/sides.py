"""The program as it runs on either server; whatever is changed in between differs."""

import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from bmnb.verification.comparing import contents, listing, paths
from bmnb.verification.files import PROGRAMS


def program(*words: str, told: bytes = b"") -> bytes:
    command = [sys.executable, "-m", PROGRAMS.name, *words]
    return subprocess.run(command, cwd=PROGRAMS.parent, input=told, capture_output=True, check=True).stdout


def told(*places: str, how: str = "list", since: float = 0, percent: int = 100, known: bytes = b"") -> bytes:
    return program(how, str(since), str(percent), *places, told=known)


def told_ahead(capfd: pytest.CaptureFixture[str], tree: Path, known: bytes = b"") -> bytes:
    """What is told ahead of files that have rested long enough."""
    work = partial(contents.describe_ahead, contents.Chosen(0, 100), time.time() + 60)
    listing.tell(work, paths.folders(str(tree), paths.fail_unless_gone), contents.Keys(known))
    return capfd.readouterr().out.encode()


def compared(lines: bytes, folder: Path) -> tuple[list[dict[str, str]], dict[str, int]]:
    sums = json.loads(program("compare", str(folder), told=lines))
    return [json.loads(line) for line in (folder / "differences").read_text().splitlines()], sums


def unchanged(folder: Path) -> bytes:
    return program("unchanged", str(folder))


def rewrite_keeping_the_time(path: Path, content: bytes) -> None:
    moment = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(moment, moment))


def box(tree: Path) -> Path:
    return tree / "p/domain/e/example.org/a/user/anna^b"
