"""A journal of the folders in which something has changed since it began.

Runs on the origin as root, on Python 3.7 or newer: `watch` until it is ended, `against` prints why it can't.
It is asked by a socket in the folder of the lists (changes.py).
"""

import os
import re
import socket
import sys
import time
from contextlib import suppress
from select import select
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence

from . import fanotify
from .changes import ANSWER_SECONDS, BLOCK, END, SOCKET, address, now

REST_SECONDS = 0.5
"""So long it lets changes gather, of which Linux merges those that are alike; a question is answered at once."""

LOCAL = ("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "tmpfs", "overlay")
"""File systems that no other machine writes to."""


class Mount(NamedTuple):
    number: str
    point: str
    kind: str


def mounts(trees: Sequence[str]) -> List[Mount]:
    """What is mounted at or below the trees, and what each of them lies in."""
    with open("/proc/self/mountinfo") as file:
        every = [_mount(line) for line in file]
    found = [one for one in every if any(_below(one.point, tree) for tree in trees)]
    for tree in trees:
        around = [one for one in every if _below(tree, one.point)]
        # of several at one point the last one is seen
        found.append(sorted(around, key=lambda one: len(one.point))[-1])
    return sorted({*found})


def _mount(line: str) -> Mount:
    before, _, after = line.partition(" - ")
    number, _, _, _, point, *_ = before.split(" ")
    escaped = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), point)
    return Mount(number, escaped, after.split(" ")[0])


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


class Journal:
    """Of each folder when a change was last read. Raise OSError where Linux can't tell of all trees."""

    def __init__(self, trees: Sequence[str]) -> None:
        self.trees = {os.path.realpath(tree): tree for tree in trees}
        self.mounts = mounts([*self.trees])
        self.group, self.changed = fanotify.listen(), {}  # type: int, Dict[bytes, float]
        self.mounted: Dict[int, int] = {}
        for mount in self.mounts:
            if mount.kind not in LOCAL:
                raise OSError(f"{mount.point} is mounted from {mount.kind}, where others may write")
            fanotify.watch(self.group, mount.point)
            self.mounted[fanotify.file_system(mount.point)] = os.open(mount.point, os.O_RDONLY)
        self.began = now()

    def read(self) -> None:
        """Take in all that has happened until now."""
        while True:
            try:
                events = os.read(self.group, BLOCK)
            except BlockingIOError:
                return
            at = time.monotonic()
            self.changed.update((folder, at) for folder in fanotify.folders(events))

    def since(self, moment: str) -> Optional[List[bytes]]:
        """The folders of the trees in which something has changed since, as far as they are there; None if unknown."""
        boot, _, at = moment.partition(" ")
        here, _, began = self.began.partition(" ")
        if boot != here or float(at) < float(began) or mounts([*self.trees]) != self.mounts:
            return None
        self.read()
        late = [folder for folder, last in self.changed.items() if last >= float(at)]
        paths = (fanotify.path_of(folder, self.mounted) for folder in late)
        return [seen for path in paths if path for seen in self.as_seen(path)]

    def as_seen(self, path: bytes) -> Iterator[bytes]:
        """The path by way of the trees that it is in, of which one may be reached through a symbolic link."""
        for real, tree in self.trees.items():
            if path == os.fsencode(real) or path.startswith(os.fsencode(real) + b"/"):
                yield os.fsencode(tree) + path[len(os.fsencode(real)) :]


def serve(folder: str, trees: Sequence[str]) -> None:
    os.makedirs(folder, mode=0o700, exist_ok=True)
    journal, place = Journal(trees), os.path.join(folder, SOCKET)
    if os.path.lexists(place):
        os.unlink(place)
    with socket.socket(socket.AF_UNIX) as listening:
        with address(folder) as reachable:
            listening.bind(reachable)
        listening.listen()
        tell_ready()
        while True:
            select([listening.fileno(), journal.group], [], [])
            if select([listening], [], [], REST_SECONDS)[0]:
                answer(listening, journal)
            journal.read()


def answer(listening: socket.socket, journal: Journal) -> None:
    asking, _ = listening.accept()
    # who asked may be gone by now
    with asking, suppress(ConnectionError, socket.timeout):
        asking.settimeout(ANSWER_SECONDS)
        found = journal.since(asking.recv(BLOCK).decode())
        if found is not None:
            asking.sendall(b"\0".join([*found, END]))


def tell_ready() -> None:
    """systemd waits for that (sd_notify)."""
    place = os.environ.get("NOTIFY_SOCKET")
    if place:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.sendto(b"READY=1", place.replace("@", "\0", 1) if place[0] == "@" else place)


def against(trees: Sequence[str]) -> str:
    """Why there can be no journal of these trees; empty where there can."""
    try:
        Journal(trees)
    except (OSError, AttributeError) as error:
        return f"Linux {os.uname().release}: {error}"
    return ""


def main() -> None:
    command, *words = sys.argv[1:]
    if command == "watch":
        serve(words[0], words[1:])
    else:
        print(against(words))


if __name__ == "__main__":
    main()
