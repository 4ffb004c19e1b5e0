"""Take away what any lab of this home has left, images under construction included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bmnb.lab import images, leftovers
from bmnb.lab.host import CACHE, HOME, LABS, call, require
from bmnb.lab.network import bridges

NAMESPACES = Path("/run/netns")
PREFIX = "bmnb-"
"""Of network namespaces; at the end of their names stands the process that made them."""


def sweep() -> Iterator[str]:
    """Take it away part by part, and say of each what was taken. Images that are finished, or being built, stay."""
    require()
    for place in sorted(LABS.glob("*")):
        if place.is_dir():
            yield f"lab {place.name}: {', '.join(leftovers.clear(place))}"
        else:
            place.unlink()
            yield f"file {place}"
    yield from _images()
    yield from _namespaces()
    yield from _networks()


def _images() -> Iterator[str]:
    for place in sorted(CACHE.glob(f"*{images.UNFINISHED}")):
        with images.lock(place.name.removesuffix(images.UNFINISHED)) as held:
            if held():
                yield f"image under construction: {', '.join(leftovers.clear(place))}"
            else:
                yield f"left: {place} is being built"


def _namespaces() -> Iterator[str]:
    for space in sorted(NAMESPACES.glob(f"{PREFIX}*")):
        if Path("/proc", space.name.rpartition("-")[2]).exists():
            continue
        for pid in call("ip", "netns", "pids", space.name).split():
            leftovers.kill(int(pid))
        call("ip", "netns", "del", space.name)
        yield f"network namespace {space.name}"


def _networks() -> Iterator[str]:
    """Bridges of this home that belong to neither a lab nor an image, such as those of tests."""
    for bridge, owner in bridges():
        if owner and Path(owner).is_relative_to(HOME) and (owner == str(HOME) or not Path(owner).exists()):
            bridge.remove()
            yield f"bridge {bridge.name}"
