"""What was the same on both servers ahead, by keys that tell whether any fact of a path can have changed since.

A change of the content, the attributes, the mode, the owner or the links of a file changes its ctime.
"""

import grp
import operator
import os
import pwd
import struct
import sys
from array import array
from bisect import bisect_left
from functools import partial
from hashlib import sha256
from typing import Any, Iterable, List, Tuple

from .paths import GONE, Task, begin, entries
from .processes import MANY, descend

KNOWN = "known"
KEY_BYTES = 8
PAIR = struct.Struct(">QQ")
"""The target's key of a path, or of all in a folder, and the origin's."""


class Key:
    """Another number for another path, inode or ctime; for other names of users and groups; for another choice.

    A directory that does not list its users, as sssd by default, is taken to keep their names.
    """

    def __init__(self, *choice: str) -> None:
        names = [[(one[0], one[2]) for one in every] for every in (pwd.getpwall(), grp.getgrall())]
        self.mixed = sha256(os.fsencode(repr((choice, names)))).digest()[:KEY_BYTES]

    def of(self, folder: bytes, entry: bytes) -> int:
        """That of an entry, by its stamp."""
        return self.number(b"%s\0%s" % (folder, entry))

    def of_all(self, folder: bytes, entries: List[bytes]) -> int:
        """That of a folder with all its entries: another one too where one has come or is gone."""
        return self.number(b"\0".join([folder, b"all", *entries]))

    def number(self, told: bytes) -> int:
        return int.from_bytes(sha256(self.mixed + told).digest()[:KEY_BYTES], "big")


def stamp(name: bytes, found: os.stat_result) -> bytes:
    return b"%s\0%d %d" % (name, found.st_ino, found.st_ctime_ns)


def numbers(told: bytes) -> Any:
    """Numbers of 8 bytes, the highest byte first."""
    found = array("Q")
    found.frombytes(told)
    if sys.byteorder == "little":
        found.byteswap()
    return found


class Keys:
    """The origin's keys of what is known."""

    def __init__(self, told: bytes) -> None:
        self.theirs = array("Q", sorted(numbers(told)))

    def __contains__(self, key: int) -> bool:
        place = bisect_left(self.theirs, key)
        return place < len(self.theirs) and self.theirs[place] == key


def in_order(told: bytes) -> bytes:
    """Pairs, sorted. A last one that was cut is none."""
    whole = range(0, len(told) - PAIR.size + 1, PAIR.size)
    return b"".join(sorted(told[at : at + PAIR.size] for at in whole))


class Pairs:
    """The origin's keys by the target's, given in order, but for those of a comparison that was killed."""

    def __init__(self, told: bytes) -> None:
        found = numbers(told[: len(told) // PAIR.size * PAIR.size])
        if any(map(operator.gt, found[::2], found[2::2])):
            found = numbers(in_order(told))
        self.ours, self.theirs = found[::2], found[1::2]

    def of(self, key: int) -> List[int]:
        place, theirs = bisect_left(self.ours, key), []
        while place < len(self.ours) and self.ours[place] == key:
            theirs.append(self.theirs[place])
            place += 1
        return theirs


known = Keys(b"")  # type: Any
"""What was the same ahead, in each process."""


def remember(keys: Any) -> None:
    global known
    known = keys


def is_known(key: int) -> bool:
    return key in known


def unchanged(folder: str, places: Iterable[str]) -> None:
    """Print the origin's keys of what was the same ahead, and has not changed here since."""
    path = os.path.join(folder, KNOWN)
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        pairs = Pairs(file.read())
    for keys in descend(partial(keys_within, Key()), begin(places), MANY, remember, pairs):
        sys.stdout.buffer.write(keys)


def keys_within(key: Key, task: Task) -> Tuple[bytes, List[Task]]:
    """Those of its entries only where there is none of all."""
    below = []  # type: List[Task]
    stamps = [stamp(entry, found) for entry, _, found in entries(task, below, GONE)]
    theirs = known.of(key.of_all(task[1], stamps))
    if not theirs:
        theirs = [number for one in stamps for number in known.of(key.of(task[1], one))]
    return struct.pack(">{}Q".format(len(theirs)), *theirs), below


def put_in_order(folder: str) -> None:
    """Or sorting them would take its time in the downtime."""
    path = os.path.join(folder, KNOWN)
    with open(path, "rb") as file:
        told = in_order(file.read())
    with open(path + ".new", "wb") as file:
        file.write(told)
    os.replace(path + ".new", path)


def drop_cut(folder: str) -> None:
    """Drop a last pair that was cut, where a comparison was killed."""
    with open(os.path.join(folder, KNOWN), "ab") as file:
        file.truncate(file.tell() // PAIR.size * PAIR.size)
