"""Tell how much a copy of trees takes that has their holes.

Runs on a server as root, with its Python from 3.5 on, so it imports nothing of this project: weights.py TREE...

Prints a line for each tree that is there: its path, bytes, inodes, where it lies. A file system that compresses tells
fewer blocks than a copy takes; one with holes in a file as well: only the file itself tells them apart.
"""

import errno
import os
import stat
import sys
from typing import Iterator, Tuple

BLOCK, UNIT = 4096, 512
"""What a file is made of on most file systems; in what the kernel counts blocks."""
GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def data(path: bytes) -> int:
    """The bytes of a file that are not in holes."""
    opened, total, place = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), 0, 0
    try:
        while True:
            begin = os.lseek(opened, place, os.SEEK_DATA)
            place = os.lseek(opened, begin, os.SEEK_HOLE)
            total += place - begin
    except OSError as error:
        # no data up to the end
        if error.errno != errno.ENXIO:
            raise
        return total
    finally:
        os.close(opened)


def taken(path: bytes, found: os.stat_result) -> int:
    """The bytes of a copy."""
    blocks = found.st_blocks * UNIT
    if not stat.S_ISREG(found.st_mode) or blocks >= found.st_size:
        return blocks
    try:
        return max(blocks, -(-data(path) // BLOCK) * BLOCK)
    except OSError as error:
        if error.errno not in GONE:  # users are at work
            raise
        return 0


def paths(tree: bytes) -> Iterator[Tuple[bytes, os.stat_result]]:
    yield tree, os.stat(tree)
    for folder, folders, names in os.walk(os.path.join(tree, b"")):
        for name in folders + names:
            path = os.path.join(folder, name)
            try:
                yield path, os.lstat(path)
            except (FileNotFoundError, NotADirectoryError):
                continue


def weight(tree: bytes) -> Tuple[int, int]:
    """Bytes and inodes; a file with several names counts once."""
    seen = set()
    total = number = 0
    for path, found in paths(tree):
        if found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode):
            inode = (found.st_dev, found.st_ino)
            if inode in seen:
                continue
            seen.add(inode)
        total += taken(path, found)
        number += 1
    return total, number


def main() -> None:
    for tree in sys.argv[1:]:
        if os.path.isdir(tree):
            print(tree, *weight(os.fsencode(tree)), os.path.realpath(tree))


if __name__ == "__main__":
    main()
