"""What was the same on both servers ahead, by keys that tell whether any fact of a path can have changed since.

A change of the content, the attributes, the mode, the owner or the links of a file changes its ctime.
"""

import grp
import os
import pwd
import struct
import sys
from array import array
from bisect import bisect_left, bisect_right
from functools import partial
from hashlib import sha256
from typing import IO, Any, Iterable, List, Tuple

from .paths import GONE, Task, begin, entries
from .processes import descend

KNOWN = "known"
KEY_BYTES = 8
PAIR = struct.Struct(">QQ")
"""A key of the target's and the origin's key of the same path."""


class Key:
    """Another number for another path, inode or ctime; for other names of users and groups; for another choice.

    A directory that does not list its users, as sssd by default, is taken to keep their names.
    """

    def __init__(self, *choice: str) -> None:
        names = [[(one[0], one[2]) for one in every] for every in (pwd.getpwall(), grp.getgrall())]
        self.mixed = sha256(os.fsencode(repr((choice, names)))).digest()[:KEY_BYTES]

    def __call__(self, path: bytes, found: os.stat_result) -> int:
        told = b"%s%s\0%d %d" % (self.mixed, path, found.st_ino, found.st_ctime_ns)
        return int.from_bytes(sha256(told).digest()[:KEY_BYTES], "big")


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


class Pairs:
    """The origin's keys by the target's; a last pair that was cut is none."""

    def __init__(self, told: bytes) -> None:
        whole = range(0, len(told) - PAIR.size + 1, PAIR.size)
        found = numbers(b"".join(sorted(told[at : at + PAIR.size] for at in whole)))
        self.ours, self.theirs = found[::2], found[1::2]

    def of(self, key: int) -> Any:
        return self.theirs[bisect_left(self.ours, key) : bisect_right(self.ours, key)]


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
    for keys in descend(partial(keys_within, Key()), begin(places), remember, pairs):
        sys.stdout.buffer.write(keys)


def keys_within(key: Key, task: Task) -> Tuple[bytes, List[Task]]:
    theirs, below = array("Q"), []  # type: Any, List[Task]
    for _, path, found in entries(task, below, GONE):
        theirs += known.of(key(path, found))
    return struct.pack(">{}Q".format(len(theirs)), *theirs), below


def more(folder: str) -> IO[bytes]:
    """The file of the pairs, for more of them; one that was cut, where a comparison was killed, is dropped."""
    file = open(os.path.join(folder, KNOWN), "ab")
    file.truncate(file.tell() // PAIR.size * PAIR.size)
    return file
