"""A lab's servers as they were at a named moment: copies of the files in which they differ from their layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bmnb.errors import InputError
from bmnb.lab import leftovers
from bmnb.lab.host import call
from bmnb.lab.server import Server

UNFINISHED = ".unfinished"


def names(place: Path) -> list[str]:
    """The snapshots in a folder, the oldest first."""
    found = [path for path in place.glob("*") if path.suffix != UNFINISHED]
    return [path.name for path in sorted(found, key=lambda path: path.stat().st_mtime)]


def save(servers: Sequence[Server], copy: Path) -> None:
    """Keep all servers in a folder, as they are after a shutdown in order; those that ran are booted again."""
    ran = [server for server in servers if server.leader is not None]
    _each(ran, Server.power_off)
    unfinished = copy.with_name(copy.name + UNFINISHED)
    leftovers.remove(unfinished)
    unfinished.mkdir(parents=True)

    def keep(server: Server) -> None:
        server.unmount()
        _copy(server.upper, unfinished / server.name)
        server.mount()
        if server in ran:
            server.start()

    _each(servers, keep)
    leftovers.remove(copy)
    unfinished.rename(copy)


def restore(servers: Sequence[Server], copy: Path) -> None:
    """Cut the power of all servers, and boot them as they were kept."""
    if not copy.is_dir():
        known = ", ".join(names(copy.parent))
        raise InputError(
            f"no snapshot {copy.name!r} of this lab; " + (f"there are: {known}" if known else "none is saved")
        )
    _each(servers, Server.cut_power)

    def put_back(server: Server) -> None:
        server.unmount()
        leftovers.remove(server.upper)
        _copy(copy / server.name, server.upper)
        server.mount()
        server.start()

    _each(servers, put_back)


def _copy(files: Path, to: Path) -> None:
    call("cp", "--archive", "--reflink=auto", files, to)


def _each(servers: Sequence[Server], do: Callable[[Server], None]) -> None:
    """All at once, for they only wait most of the time."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(do, servers))
