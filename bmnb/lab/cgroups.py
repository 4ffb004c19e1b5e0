"""A control group of its own for each server.

Without one, the servers' systemds would keep units of the same names in the same groups: to stop a unit on
one would empty or remove the group of the other's.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

MOUNTS = (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
"""Where systemd keeps its groups: its own hierarchy and the unified one of mixed systems, or the only one."""


def folders(machine: str) -> list[Path]:
    """The folders of a machine's group, in every hierarchy that this system has."""
    return [place / machine for place in hierarchies()]


def hierarchies() -> list[Path]:
    return [place for place in MOUNTS if (place / "cgroup.procs").exists()]


def machines(pattern: str) -> list[str]:
    """The machines that have a group here, by the pattern of their names."""
    return sorted({folder.name for place in hierarchies() for folder in place.glob(pattern)})


def processes(machine: str) -> Iterator[int]:
    """The processes here that are in a machine's group."""
    for folder in folders(machine):
        for place, _, _ in os.walk(folder):
            try:
                yield from map(int, (Path(place) / "cgroup.procs").read_text().split())
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENODEV):
                    raise


def remove(machine: str) -> bool:
    """Delete a machine's group. False while a process of it is still ending."""
    for folder in folders(machine):
        for place, _, _ in os.walk(folder, topdown=False):
            try:
                Path(place).rmdir()
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                return False
    return True
