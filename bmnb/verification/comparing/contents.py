"""Contents that are compared ahead, while the origin is in use, and what of them need not be read again."""

import json
import os
import stat
import struct
import sys
import zlib
from array import array
from bisect import bisect_left
from hashlib import sha256
from itertools import islice
from typing import List, Optional, Tuple

from .paths import Task, digest, text
from .processes import spread
from .seen import Seen, item_of

REST_SECONDS = 5.0
"""A file that changed later than that may change again at the same ctime, whose clock ticks slowly."""

KNOWN = "known"
KEY_BYTES = 8
SOME = 1000

File = Tuple[str, int, int, str, int]
"""Name, size, time in nanoseconds, sum of the content, key on the origin."""


class Keys:
    """Keys of files, from numbers of 8 bytes, the highest byte first."""

    def __init__(self, told: bytes) -> None:
        numbers = array("Q")
        numbers.frombytes(told)
        if sys.byteorder == "little":
            numbers.byteswap()
        self.numbers = array("Q", sorted(numbers))

    def __contains__(self, key: int) -> bool:
        place = bisect_left(self.numbers, key)
        return place < len(self.numbers) and self.numbers[place] == key


def key_of(path: bytes, found: os.stat_result) -> int:
    """Another number for another path, inode or ctime: for a file that was written, linked or moved."""
    told = b"%s\0%d %d" % (path, found.st_ino, found.st_ctime_ns)
    return int.from_bytes(sha256(told).digest()[:KEY_BYTES], "big")


class Chosen:
    """Of which files the content is told."""

    def __init__(self, since: float, percent: int) -> None:
        self.since, self.percent = since, percent

    def __call__(self, path: bytes, found: os.stat_result) -> bool:
        return found.st_ctime >= self.since or zlib.crc32(path) % 100 < self.percent


known = Keys(b"")
"""What was the same ahead, in each process."""


def remember(keys: Keys) -> None:
    global known
    known = keys


def is_known(key: int) -> bool:
    return key in known


def describe_ahead(chosen: Chosen, rested: float, task: Task) -> Optional[str]:
    """One folder of a server in use: [folder, files as (name, size, modified, content, key)]; None without any."""
    folder, files = task[1], []  # type: bytes, List[File]
    for entry in task[3]:
        path = os.path.join(folder, entry)
        try:
            found = os.lstat(path)
            if not (stat.S_ISREG(found.st_mode) and found.st_ctime < rested and chosen(path, found)):
                continue
            key = key_of(path, found)
            if is_known(key):
                continue
            content = digest(path)
            if key_of(path, os.lstat(path)) == key:
                files.append((text(entry), found.st_size, found.st_mtime_ns, content, key))
        except (FileNotFoundError, NotADirectoryError):
            continue  # deleted, or moved, meanwhile
    return json.dumps([text(folder), files]) if files else None


def look_ahead(folder: str, files: List[File]) -> Seen:
    """Only a file that a pass has brought counts; whatever changed since, the next one brings."""
    seen = Seen(folder)
    for entry, size, modified, content, key in files:
        path = os.path.join(folder, entry).encode("latin-1")
        if not os.path.lexists(path):
            continue
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or (found.st_size, found.st_mtime_ns) != (size, modified):
            continue
        seen.entries += 1
        seen.bytes += size
        seen.content += 1
        ours = digest(path)
        if ours == content:
            seen.same.append((text(path), key, key_of(path, found)))
        else:
            item = dict(item_of(folder, path), what="content", origin=content, target=ours)
            seen.wrong.append((text(path), item))
    return seen


def unchanged(folder: str) -> None:
    """Print the origin's keys of the files that were the same ahead, and have not changed here since."""
    path = os.path.join(folder, KNOWN)
    if not os.path.exists(path):
        return
    with open(path) as same:
        for keys in spread(rested, iter(lambda: list(islice(same, SOME)), [])):
            sys.stdout.buffer.write(keys)


def rested(lines: List[str]) -> bytes:
    keys = []
    for line in lines:
        try:
            name, theirs, ours = json.loads(line)
            path = name.encode("latin-1")
            if key_of(path, os.lstat(path)) == ours:
                keys.append(theirs)
        except (ValueError, FileNotFoundError, NotADirectoryError):
            continue  # cut, or gone
    return struct.pack(">{}Q".format(len(keys)), *keys)
