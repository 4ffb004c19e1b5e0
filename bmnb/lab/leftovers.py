"""What a lab, or the building of an image, has on this machine, whoever made it and however that ended.

All of it is known by a path: that of the lab's folder, or of the image under construction. It stands in the command
lines of what runs, in the mount points, and as the alias of the bridge.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bmnb.errors import BmnbError
from bmnb.lab import cgroups
from bmnb.lab.host import call, succeeds
from bmnb.lab.network import Bridge, bridges, numberless, remove_link

WORKERS = ("systemd-nspawn", "mmdebstrap", "ssh-keygen", "cp")
"""Programs that a lab starts and that go on where it is killed; what runs in a chroot is known by its root."""

END_SECONDS = 60.0
NSPAWN = Path("/run/systemd/nspawn")


def clear(place: Path) -> list[str]:
    """Take away all that a lab or an image under construction has; what was taken, in words."""
    taken = end(place) + unmount(place)
    for bridge in _bridges(place):
        bridge.remove()
        taken.append(f"bridge {bridge.name}")
    for link in numberless():
        remove_link(link)
    if place.exists():
        remove(place)
        taken.append(f"folder {place}")
    return taken


def end(place: Path) -> list[str]:
    """End the servers and other programs at once, as a power cut does, and remove their control groups."""
    ended: list[str] = []

    def all_ended() -> bool:
        found, machines = strike(place), _machines(place)
        ended.extend(name for name in [*(f"server {one}" for one in machines), *found] if name not in ended)
        return not found and all(_forget(machine) for machine in machines)

    if not _wait(all_ended):
        raise BmnbError(f"what runs in {place} does not end: {', '.join(strike(place)) or 'its servers'}")
    return ended


def strike(place: Path) -> list[str]:
    """Kill what runs now; the names of programs, without what the servers run."""
    found = programs(place)
    for pid in [*found, *(pid for machine in _machines(place) for pid in cgroups.processes(machine))]:
        kill(pid)
    return list(found.values())


def _machines(place: Path) -> list[str]:
    return [machine for bridge in _bridges(place) for machine in cgroups.machines(f"{bridge.name}[a-z]")]


def _forget(machine: str) -> bool:
    """Remove the control group and what nspawn keeps of a machine that was killed."""
    if not cgroups.remove(machine):
        return False
    kept = NSPAWN / "propagate" / machine
    if kept.exists():
        kept.rmdir()
    return True


def programs(place: Path) -> dict[int, str]:
    """The processes that work in a folder here or in a chroot below it: their number and name."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            inside = (process / "root").readlink().is_relative_to(place)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        names = [word.rpartition("/")[2] for word in words[:5]]
        works = any(name in WORKERS or name.startswith("supervisor-") for name in names)
        if inside or (works and any(_is_in(word, place) for word in words)):
            found[int(process.name)] = next((name for name in names if name in WORKERS), names[0])
    return found


def _is_in(word: str, place: Path) -> bool:
    return re.search(rf"(^|[=:]){re.escape(str(place))}(/|$)", word) is not None


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def mounts(place: Path) -> list[Path]:
    """The mount points in a folder, the innermost first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    paths = [Path(point.encode().decode("unicode_escape")) for point in points]
    return [path for path in reversed(paths) if path.is_relative_to(place.resolve())]


def unmount(place: Path) -> list[str]:
    """Unmount all that is mounted in a folder. Raise BmnbError where something is in use."""
    taken = []
    for path in mounts(place):
        found = path.stat()
        (NSPAWN / "locks" / f"inode-{found.st_dev}:{found.st_ino}").unlink(missing_ok=True)
        # what was killed lets go of its files when it has been served
        if not _wait(partial(succeeds, ["umount", str(path)])):
            raise BmnbError(f"{path} is still mounted and in use: see fuser -vm {path}")
        taken.append(f"mount {path}")
    return taken


def remove(place: Path) -> None:
    """Delete a folder. Raise BmnbError, with nothing deleted, where something is mounted in it."""
    still = mounts(place)
    if still:
        raise BmnbError(f"{place} is not removed, for {still[0]} is still mounted: umount {still[0]}")
    away = ("rm", "--recursive", "--force", "--one-file-system", str(place))
    if not succeeds(away):
        # a server's administrator may have made files immutable; links have no such attribute
        succeeds(["chattr", "-R", "-f", "-ia", str(place)])
        call(*away)


def _bridges(place: Path) -> list[Bridge]:
    """Those that have the place as their owner; earlier releases recorded theirs in the place alone."""
    recorded = place / "lab.json"
    number = json.loads(recorded.read_text())["bridge"] if recorded.exists() else None
    return [
        bridge
        for bridge, owner in bridges()
        if owner == str(place) or (not owner and bridge.number == number)
    ]


def _wait(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + END_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
