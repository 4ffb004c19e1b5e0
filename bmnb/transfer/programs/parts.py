"""Listings of any length, of which no more than a part is in memory."""

import tempfile
import zlib
from itertools import islice
from typing import Dict, Iterable, Iterator, List, Sequence, Set, Tuple

from .lines import entries, path_of

SOME = 1 << 14
PARTS = 128


class Parts:
    """Records on any number of paths in files, by a hash of the path: each part of them fits into memory."""

    def __init__(self, folder: str) -> None:
        self.files = [tempfile.TemporaryFile(dir=folder) for _ in range(PARTS)]  # noqa: SIM115

    def add(self, path: bytes, record: bytes) -> None:
        self.files[zlib.crc32(path) % PARTS].write(record + b"\0")

    def __iter__(self) -> Iterator[Iterator[bytes]]:
        for file in self.files:
            with file:
                file.seek(0)
                yield entries(file)


def differences(
    first: Iterator[bytes], second: Iterator[bytes], folder: str
) -> Iterator[Tuple[Set[bytes], Set[bytes]]]:
    """Read two lists of lines to their end; then yield what only the first has, and what only the second has.

    Both at once where the order is much alike; else, to take little memory, part by part by way of the folder,
    all lines of a path together.
    """
    sides: Tuple[Set[bytes], Set[bytes]] = set(), set()
    apart: List[Parts] = []
    while True:
        one, other = set(islice(first, SOME)), set(islice(second, SOME))
        if not one and not other:
            break
        one |= sides[0]
        other |= sides[1]
        sides = one - other, other - one
        if len(sides[0]) + len(sides[1]) > SOME:
            apart = apart or [Parts(folder), Parts(folder)]
            put_apart(apart, sides)
    if not apart:
        yield sides
        return
    put_apart(apart, sides)
    for one, other in zip(*(map(set, parts) for parts in apart)):
        yield one - other, other - one


def put_apart(apart: Sequence[Parts], sides: Sequence[Set[bytes]]) -> None:
    for parts, lines in zip(apart, sides):
        for line in lines:
            parts.add(path_of(line), line)
        lines.clear()


class Listing:
    """All lines of a server, numbered, in parts by path; and which of its paths are names of one file."""

    def __init__(self, lines: Iterable[bytes], folder: str) -> None:
        self.parts, self.number = Parts(folder), 0
        self.links: Dict[bytes, Tuple[int, int]] = {}
        for line in lines:
            _, inode, names, *_, path = line.split(b" ", 9)
            if names != b"1":
                number, total = self.links.get(inode, (0, 0))
                self.links[inode] = number + 1, total + hash(path)
            self.parts.add(path, b"%d %s" % (self.number, line))
            self.number += 1

    def __iter__(self) -> Iterator[Iterator[Tuple[int, bytes]]]:
        for part in self.parts:
            split = (record.split(b" ", 1) for record in part)
            yield ((int(number), line) for number, line in split)

    def told(self, line: bytes) -> Tuple[int, bytes]:
        """What must be the same on both servers: a sum over the names of the file, and the line's last part."""
        _, inode, _, same = line.split(b" ", 3)
        number, total = self.links.get(inode, (0, 0))
        return total if number > 1 else 0, same
