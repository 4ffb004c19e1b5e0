"""Whatever ends a lab, or the building of an image, `bmnb lab down --all` takes away all of it, and no more."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bmnb.errors import BmnbError
from bmnb.lab import cgroups, images, layers, leftovers, network
from bmnb.lab.host import CACHE, call, succeeds
from bmnb.lab.layers import Content
from bmnb.lab.network import Bridge

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


def servers_of(home: Path) -> list[str]:
    """The servers that a home has booted or is booting."""
    return [
        machine
        for bridge, owner in network.bridges()
        if owner.startswith(f"{home}/")
        for machine in cgroups.machines(f"{bridge.name}[a-z]")
    ]


def lock_is_free(path: Path) -> bool:
    return succeeds(["flock", "--nonblock", str(path), "true"])


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_lab_killed_at_any_moment_leaves_nothing(home: Path):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    finished = sorted(home.glob("cache/*-*"))
    for number in range(10):
        # of every other lab the images are built first
        new = str(1 if number % 2 else chance.randrange(2, 10**6))
        making = lab(home, "up", "--name", "killed", *TINY, "--seed", new)
        time.sleep(chance.uniform(0.5, 4))
        making.send_signal(signal.SIGKILL)
        making.wait()
        down(home)
        assert_nothing_is_left(home)
    assert set(finished) <= set(home.glob("cache/*-*")), "finished images stay"


def test_a_build_that_is_asked_to_end_leaves_nothing(home: Path):
    making = lab(home, "up", "--name", "ended", *TINY, "--seed", str(random.randrange(2, 10**6)))
    wait_until(lambda: servers_of(home) != [])
    making.terminate()
    making.wait(30)
    assert making.returncode == 128 + signal.SIGTERM
    assert_nothing_is_left(home)


def test_what_is_being_built_and_what_belongs_to_another_home_stay(home: Path, tmp_path_factory):
    place = home / "cache" / f"image{images.UNFINISHED}"
    place.mkdir()
    holder = subprocess.Popen(["flock", home / "cache" / "image.lock", "sleep", "60"], start_new_session=True)
    with Bridge.free(tmp_path_factory.mktemp("another")) as another, Bridge.free(home) as ours:
        try:
            wait_until(lambda: not lock_is_free(home / "cache" / "image.lock"))
            said = down(home)
            assert f"left: {place} is being built" in said
            assert place.exists()
        finally:
            os.killpg(holder.pid, signal.SIGKILL)
            holder.wait()
        names = [bridge.name for bridge, _ in network.bridges()]
        assert another.name in names
        assert f"bridge {ours.name}" in said
    assert f"folder {place}" in down(home)
    assert not place.exists()


def test_a_namespace_goes_where_the_process_that_made_it_is_dead(home: Path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    left, living = f"bmnb-test-{dead.pid}", f"bmnb-test-{os.getpid()}"
    for space in (left, living):
        call("ip", "netns", "add", space)
    try:
        orphan = subprocess.Popen(["ip", "netns", "exec", left, "sleep", "60"])
        wait_until(lambda: call("ip", "netns", "pids", left) != "")
        assert f"network namespace {left}" in down(home)
        assert orphan.wait(10) == -signal.SIGKILL
        assert living in call("ip", "netns", "list")
    finally:
        call("ip", "netns", "del", living)


BUILD = """
import sys, time
from collections.abc import Callable
from pathlib import Path
from bmnb.lab import images
from bmnb.lab.network import Bridge
from bmnb.lab.server import Server

def never_ends(place):
    bridge = Bridge.free(place)
    server = Server("target", f"{bridge.name}t", place, bridge.name, bridge.address(20), (Path(sys.argv[2]),))
    server.mount()
    server.start()
    time.sleep(3600)

build = {"never": never_ends, "at once": lambda place: (place / "built").touch()}[sys.argv[1]]
images.cached("image", build)
"""


def test_the_next_build_ends_the_server_of_one_that_was_killed(home: Path):
    base = next(home.glob("cache/base-bookworm-*"))
    begin = [sys.executable, "-c", BUILD]
    environment = {**os.environ, "BMNB_LAB_HOME": str(home)}
    first = subprocess.Popen([*begin, "never", base], env=environment)
    wait_until(lambda: any("nspawn" in name for name in leftovers.programs(home).values()))
    first.kill()
    first.wait()
    assert leftovers.mounts(home) != []
    subprocess.run([*begin, "at once"], env=environment, check=True)
    assert [path.name for path in (home / "cache" / "image").iterdir()] == ["built"]
    assert_nothing_is_left(home)


def test_a_mounted_tree_is_never_removed(tmp_path: Path):
    mounted = tmp_path / "place" / "root"
    mounted.mkdir(parents=True)
    call("mount", "-t", "tmpfs", "tmpfs", mounted)
    try:
        (mounted / "file").touch()
        with pytest.raises(BmnbError, match=f"{mounted} is still mounted: umount"):
            leftovers.remove(tmp_path / "place")
        assert (mounted / "file").exists()
    finally:
        call("umount", mounted)


def test_files_that_were_made_immutable_go_as_well(tmp_path: Path):
    lab = tmp_path / "lab"
    (lab / "upper/etc").mkdir(parents=True)
    (lab / "upper/etc/main.cf").touch()
    (lab / "upper/etc/link").symlink_to("main.cf")
    call("chattr", "+i", lab / "upper/etc/main.cf")
    leftovers.remove(lab)
    assert not lab.exists()


def test_what_is_in_use_is_named_and_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(leftovers, "END_SECONDS", 0.5)
    mounted = tmp_path / "place" / "root"
    mounted.mkdir(parents=True)
    call("mount", "-t", "tmpfs", "tmpfs", mounted)
    try:
        with (mounted / "file").open("w"):
            with pytest.raises(BmnbError, match=f"{mounted} is still mounted and in use: see fuser -vm"):
                leftovers.clear(tmp_path / "place")
            assert (mounted / "file").exists()
    finally:
        call("umount", mounted)
