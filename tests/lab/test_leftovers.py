"""Whatever ends a lab, or the building of an image, `bmnb lab down --all` takes away all of it, and no more."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bmnb.lab import cgroups, images, layers, leftovers, network
from bmnb.lab.host import CACHE
from bmnb.lab.layers import Content

pytestmark = pytest.mark.lab
TINY = ("--messages", "50", "--rows", "100", "--users", "3")
BMNB = (sys.executable, "-m", "bmnb", "lab")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of the lab beside the usual one, that has its finished images."""
    for role, release in (("origin", "bullseye"), ("target", "bookworm")):
        data = (50, 100, 3) if role == "origin" else (0, 0, 0)
        layers.layers(role, Content(release, "4.9", *data, 1), print)
    cache = tmp_path / "cache"
    cache.mkdir()
    for image in CACHE.iterdir():
        if image.is_dir() and image.suffix != images.UNFINISHED:
            (cache / image.name).symlink_to(image)
    return tmp_path


def lab(home: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*BMNB, *words],
        env={**os.environ, "BMNB_LAB_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def down(home: Path) -> str:
    taking = lab(home, "down", "--all")
    said, _ = taking.communicate(timeout=120)
    assert taking.returncode == 0, said
    return said


def traces(home: Path) -> list[str]:
    """What is on this machine because of the labs of a home, and what belongs to no lab at all."""
    owners = {bridge.name: owner for bridge, owner in network.bridges()}
    links = [link["ifname"] for link in network.links()]
    parts = [*links, *cgroups.machines("bmnb*")]
    orphans = [
        part for part in parts if (found := re.match(r"(?:vb-)?(bmnb\d+)", part)) and found[1] not in owners
    ]
    folders = [*home.glob("labs/*"), *home.glob(f"cache/*{images.UNFINISHED}")]
    return [
        *(name for name, owner in owners.items() if owner.startswith(f"{home}/")),
        *orphans,
        *network.numberless(),
        *map(str, [*leftovers.mounts(home), *folders]),
        *leftovers.programs(home).values(),
    ]


def assert_nothing_is_left(home: Path) -> None:
    """A program that was just started, such as ip, outlives its maker for a moment."""
    deadline = time.monotonic() + 5
    while traces(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert traces(home) == []


def test_a_lab_killed_at_any_moment_leaves_nothing(home: Path):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    finished = sorted(home.glob("cache/*-*"))
    for number in range(10):
        # of every other lab the images are built first
        new = str(1 if number % 2 else chance.randrange(2, 10**6))
        making = lab(home, "up", "--name", "killed", *TINY, "--seed", new)
        time.sleep(chance.uniform(0.5, 5))
        making.send_signal(signal.SIGKILL)
        making.wait()
        down(home)
        assert_nothing_is_left(home)
    assert set(finished) <= set(home.glob("cache/*-*")), "finished images stay"
