"""Tell what files of trees have beside their content that no copy brings, or that keeps one from being replaced.

Runs on a server as root, with its Python from 3.5 on, so it imports nothing of this project:

    inodes.py SIZE TREE... -- GLOB...     hard links from tree to tree count from this size in bytes on

Prints a JSON line a finding, `item` and `what`, then one with how many there were.
"""

import errno
import fcntl
import glob
import json
import os
import stat
import struct
import sys
from collections import Counter
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

LISTED = 1000

GET_ATTRIBUTES, ATTRIBUTES = 0x801C581F, struct.Struct("=IIIII8x")
"""FS_IOC_FSGETXATTR of linux/fs.h: flags, ..., the project as the fourth."""
GET_FLAGS = 0x80086601
"""FS_IOC_GETFLAGS, for file systems without the other."""
IMMUTABLE, APPEND_ONLY = "immutable (chattr +i)", "append-only (chattr +a)"
FLAGS = ((IMMUTABLE, 0x8, 0x10), (APPEND_ONLY, 0x10, 0x20))
"""Each with its sign among the attributes and among the flags."""
NOT_KNOWN = (errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
NOT_OPENED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)
"""What is said of a path that became something else since it was seen: users are at work."""

Told = Dict[str, str]


def text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def paths(tree: bytes) -> Iterator[Tuple[bytes, os.stat_result]]:
    """The tree or file itself, which may be a link, and all below it."""
    yield tree, os.stat(tree)
    for folder, folders, names in os.walk(os.path.join(tree, b"")):
        for name in folders + names:
            path = os.path.join(folder, name)
            try:
                yield path, os.lstat(path)
            except (FileNotFoundError, NotADirectoryError):
                continue


def marks(opened: int) -> Tuple[List[str], int]:
    """The flags and the project of an open file; none where its file system has no such thing."""
    try:
        found = ATTRIBUTES.unpack(fcntl.ioctl(opened, GET_ATTRIBUTES, bytes(ATTRIBUTES.size)))
        return [what for what, sign, _ in FLAGS if found[0] & sign], found[3]
    except OSError as error:
        if error.errno not in NOT_KNOWN:
            raise
    try:
        (flags,) = struct.unpack("L", fcntl.ioctl(opened, GET_FLAGS, bytes(struct.calcsize("L"))))
        return [what for what, _, sign in FLAGS if flags & sign], 0
    except OSError as error:
        if error.errno not in NOT_KNOWN:
            raise
        return [], 0


def marks_of(path: bytes, root: bool) -> Tuple[List[str], int]:
    follow = 0 if root else os.O_NOFOLLOW
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | follow)
    except OSError as error:
        if error.errno not in NOT_OPENED:
            raise
        return [], 0
    try:
        return marks(opened)
    finally:
        os.close(opened)


class Links:
    """Files with several names, those from tree to tree; what has shown all its names is forgotten."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.seen = {}  # type: Dict[Tuple[int, int], List[int]]

    def counts(self, found: os.stat_result) -> bool:
        """A FIFO or device with several names has no size that would matter."""
        large = not stat.S_ISREG(found.st_mode) or found.st_size >= self.size
        return found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode) and large

    def other(self, number: int, found: os.stat_result) -> Optional[int]:
        """The number of another tree that has the same file."""
        if not self.counts(found):
            return None
        key = (found.st_dev, found.st_ino)
        first = self.seen.setdefault(key, [number, 0])
        first[1] += 1
        if first[1] == found.st_nlink:
            del self.seen[key]
        return first[0] if first[0] != number else None


def findings(size: int, trees: Sequence[bytes], globs: Sequence[bytes] = ()) -> Iterator[Told]:
    links = Links(size)
    projects, first = Counter(), {}  # type: Counter[Tuple[int, int]], Dict[Tuple[int, int], bytes]
    places = [*trees, *sorted(path for one in globs for path in glob.glob(one))]
    for number, tree in enumerate(places):
        for path, found in paths(tree) if os.path.exists(tree) else ():
            if stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode):
                flags, project = marks_of(path, path == tree)
                for flag in flags:
                    yield {"item": text(path), "what": flag}
                if project:
                    projects[number, project] += 1
                    first.setdefault((number, project), path)
            other = links.other(number, found) if number < len(trees) else None
            if other is not None:
                yield {"item": text(path), "what": "a hard link to a file in {}".format(text(trees[other]))}
    for (number, project), path in first.items():
        what = "project {} of a quota, {} files and folders, first {}".format(
            project, projects[number, project], text(path)
        )
        yield {"item": text(places[number]), "what": what}


def main() -> None:
    size, *words = map(os.fsencode, sys.argv[1:])
    end, number = words.index(b"--"), 0
    for number, one in enumerate(findings(int(size), words[:end], words[end + 1 :]), 1):
        if number <= LISTED:
            print(json.dumps(one))
    print(json.dumps({"found": number}))


if __name__ == "__main__":
    main()
