"""What must be the same of a path on both servers, content included."""

import grp
import hashlib
import os
import pwd
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, List, Sequence, Tuple

from .lines import BLOCK, owner


def facts(path: bytes) -> bytes:
    """Other facts, then the content."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return PARTED + b"absent"
    kind = stat.S_IFMT(found.st_mode)
    told: List[str] = []
    names = [owner(pwd.getpwuid, found.st_uid), owner(grp.getgrgid, found.st_gid)]
    others = [oct(stat.S_IMODE(found.st_mode)), *names, str(found.st_mtime_ns)]
    if kind == stat.S_IFLNK:
        others, told = names, [repr(os.readlink(path))]
    elif kind == stat.S_IFREG:
        digest = hashlib.sha256()
        # somebody may have put a link or a pipe in its place
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            for block in iter(lambda: file.read(BLOCK), b""):
                digest.update(block)
        told = [f"{found.st_size} bytes", digest.hexdigest()]
    return PARTED.join((repr(others).encode(), repr([kind, *told]).encode()))


PARTED = b"\n"


def content(told: bytes) -> bytes:
    """The part of a path's facts that a wrong copy has otherwise, whatever the servers call their users."""
    return told.partition(PARTED)[2]


def sums(paths: Sequence[bytes]) -> List[bytes]:
    """The facts of each path, and with the names of one file the first of them that is listed."""
    first: Dict[Tuple[int, int], int] = {}
    inodes = [os.lstat(path) if os.path.lexists(path) else None for path in paths]
    linked = [
        first.setdefault((found.st_dev, found.st_ino), number)
        if found and not stat.S_ISDIR(found.st_mode)
        else number
        for number, found in enumerate(inodes)
    ]
    with ThreadPoolExecutor(2) as pool:
        return [b"%d %s" % pair for pair in zip(linked, pool.map(facts, paths))]
