"""A control group of its own for each server.

Without one, the servers' systemds would keep units of the same names in the same groups: to stop a unit on
one would empty or remove the group of the other's.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

MOUNTS = (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
"""Where systemd keeps its groups: its own hierarchy and the unified one of mixed systems, or the only one."""


def folders(machine: str) -> list[Path]:
    """The folders of a machine's group, in every hierarchy that this system has."""
    return [place / machine for place in MOUNTS if (place / "cgroup.procs").exists()]


def remove(machine: str) -> bool:
    """Delete a machine's group. False while a process of it is still ending."""
    for folder in folders(machine):
        for place, _, _ in os.walk(folder, topdown=False):
            try:
                Path(place).rmdir()
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                return False
    return True
