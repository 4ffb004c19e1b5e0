"""Lines of find, and lists of them: in files and streams, each with NUL at its end."""

import grp
import os
import pwd
import sys
from functools import lru_cache
from typing import IO, Any, Callable, Iterable, Iterator, NamedTuple, Sequence

BLOCK = 1 << 20

FOLDER, OTHER = "%i 1 d - %T@ %m", "%i %n %y %s %T@ %m"
"""Inode and number of names are each server's own; what comes after them must be the same on both."""

# find looks a name up anew for each entry, which takes longer than all the rest of a look
NUMBERS = "%U %G %p\\0"
TOLD = ["(", "-type", "d", "-printf", f"{FOLDER} {NUMBERS}", "-o", "-printf", f"{OTHER} {NUMBERS}", ")"]
FIND = ("find", "-H")
"""A tree may be a link: that is looked through, and no other."""

LISTED = ["-printf", "%C@ ", *TOLD]
UNPROVEN = b"0 0 1 "
"""Stands before what is the same on both servers in the lines that prove nothing."""

END = b"end of the list"


class Entry(NamedTuple):
    """A line of a listing; `same` is the part that must be the same on both servers."""

    ctime: float
    inode: bytes
    names: bytes
    kind: bytes
    size: bytes
    path: bytes
    same: bytes


def parsed(line: bytes) -> Entry:
    ctime, inode, names, same = line.split(b" ", 3)
    kind, size, _, _, _, _, path = same.split(b" ", 6)
    return Entry(float(ctime), inode, names, kind, size, path, same)


def entries(stream: IO[bytes]) -> Iterator[bytes]:
    """The entries of a stream in which each ends with NUL."""
    rest = b""
    for block in iter(lambda: stream.read(BLOCK), b""):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole


def read(path: str) -> Iterator[bytes]:
    """The entries of a list; none where there is no list."""
    if os.path.exists(path):
        with open(path, "rb") as file:
            yield from entries(file)


def whole(stream: IO[bytes]) -> Iterator[bytes]:
    """The entries of a list that ends with END; exit where it was cut."""
    last = None
    for entry in entries(stream):
        if last is not None:
            yield last
        last = entry
    if last != END:
        sys.exit("the target's list was cut")


def write(path: str, listed: Iterable[bytes]) -> None:
    with open(f"{path}.unfinished", "wb") as file:
        for entry in listed:
            file.write(entry + b"\0")
    os.rename(f"{path}.unfinished", path)


def named(line: bytes) -> bytes:
    """A line with the names of the owners instead of their numbers, which differ between servers."""
    *before, user, group, path = line.split(b" ", 9)
    return b" ".join([*before, owners(user, group), path])


@lru_cache(maxsize=None)
def owners(user: bytes, group: bytes) -> bytes:
    return f"{owner(pwd.getpwuid, int(user))} {owner(grp.getgrgid, int(group))}".encode()


def size_of(line: bytes) -> int:
    """The bytes of a file; none of a folder."""
    size = line.split(b" ", 5)[4]
    return 0 if size == b"-" else int(size)


def path_of(line: bytes) -> bytes:
    return line.split(b" ", 9)[9]


@lru_cache(maxsize=None)
def owner(find: Callable[[int], Any], number: int) -> str:
    try:
        return str(find(number)[0])
    except KeyError:
        return str(number)


def through(path: bytes, trees: Sequence[bytes]) -> bytes:
    """The path for who copies or reads it: where a tree is a link, that of what it leads to."""
    return path + b"/." if path in trees else path


def tree_of(path: bytes, trees: Sequence[bytes]) -> bytes:
    return next(tree for tree in trees if (path + b"/").startswith(tree + b"/"))


def is_real(path: bytes, trees: Sequence[bytes]) -> bool:
    """No part of it within its tree is a symbolic link."""
    tree = tree_of(path, trees)
    return os.path.realpath(path) == os.path.realpath(tree) + path[len(tree) :]


def is_there(path: bytes, trees: Sequence[bytes]) -> bool:
    """Whether a path is in its tree itself, and not where a folder above it leads that became a link."""
    return os.path.lexists(path) and is_real(os.path.dirname(path), trees)
