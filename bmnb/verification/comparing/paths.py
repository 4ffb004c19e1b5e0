"""What a server has below some places: its folders, and the facts of each path."""

import glob
import grp
import hashlib
import os
import pwd
import stat
import struct
from functools import lru_cache
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Type

# what is told of a path; `linked` last, since its numbers are of one server alone
Facts = NamedTuple(
    "Facts",
    [
        ("kind", int),
        ("owner", str),
        ("group", str),
        ("modified", int),
        ("mode", Optional[int]),
        ("attributes", Optional[Dict[str, str]]),
        ("size", Optional[int]),
        ("leads_to", Optional[str]),
        ("content", Optional[str]),
        ("linked", Optional[str]),
    ],
)

ACL_USER, ACL_GROUP = 2, 8
NOT_COPIED = ("security.selinux",)

Task = Tuple[str, bytes, Optional[List[bytes]]]
"""A place, a folder of it, which of its entries; None for all."""

GONE = (FileNotFoundError, NotADirectoryError)

KEPT = "+"
"""Before a place: the target may have more there than the origin."""

FOLLOWED = "++"
"""The same, and all links are looked through, as scp does."""


def text(path: bytes) -> str:
    return path.decode("latin-1")


def readable(path: str) -> str:
    return path.encode("latin-1").decode("utf-8", "backslashreplace")


@lru_cache(maxsize=None)
def name(find: Callable[[int], Any], number: int) -> str:
    try:
        return str(find(number)[0])
    except KeyError:
        return "number {}".format(number)


def digest(path: bytes, found: os.stat_result) -> str:
    """The sum of the regular file that was found there, maybe by a link.

    A link or a pipe that somebody has put in its place since is not followed or waited for.
    """
    total, linked = hashlib.sha256(), os.path.islink(path)
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if linked else os.O_NOFOLLOW)
    with open(os.open(path, flags), "rb") as file:
        if linked and not os.path.samestat(os.fstat(file.fileno()), found):
            raise FileNotFoundError("something else was put in the place of {!r}".format(path))
        for block in iter(lambda: file.read(1 << 20), b""):
            total.update(block)
    return total.hexdigest()


def access_list(value: bytes) -> str:
    """An access list holds numbers of users and groups, which differ between systems: their names are told."""
    told = []
    for tag, mode, number in struct.iter_unpack("<HHI", value[4:]):
        find = {ACL_USER: pwd.getpwuid, ACL_GROUP: grp.getgrgid}.get(tag)
        told.append("{}:{}:{}".format(tag, name(find, number) if find else "", mode))
    return " ".join(told)


def attributes(path: bytes) -> Dict[str, str]:
    """Those of what a link leads to."""
    told = {}
    for key in os.listxattr(path):
        if key not in NOT_COPIED:
            value = os.getxattr(path, key)
            told[key] = access_list(value) if key.startswith("system.posix_acl") else value.hex()
    return told


def linked(found: os.stat_result) -> Optional[str]:
    """Which file it is, where it has several names."""
    several = found.st_nlink > 1 and stat.S_ISREG(found.st_mode)
    return "{}:{}".format(found.st_dev, found.st_ino) if several else None


def facts(path: bytes, found: os.stat_result) -> Facts:
    """All but the content."""
    kind = stat.S_IFMT(found.st_mode)
    link = kind == stat.S_IFLNK
    return Facts(
        kind,
        name(pwd.getpwuid, found.st_uid),
        name(grp.getgrgid, found.st_gid),
        found.st_mtime_ns,
        None if link else stat.S_IMODE(found.st_mode),
        None if link else attributes(path),
        found.st_size if kind == stat.S_IFREG else None,
        text(os.fsencode(os.readlink(path))) if link else None,
        None,
        linked(found),
    )


def found(place: str) -> List[bytes]:
    """The paths that a place means. A folder's `*` means the folder, since globs leave out hidden names."""
    pattern = os.fsencode(place.lstrip(KEPT))
    if os.path.basename(pattern) == b"*":
        pattern = os.path.dirname(pattern)
    return sorted(glob.glob(pattern))


def begin(places: Iterable[str]) -> Iterator[Task]:
    """For each place the folder that it is in, with it alone."""
    for place in places:
        paths = found(place)
        if paths:
            yield place, os.path.dirname(paths[0]), [os.path.basename(path) for path in paths]


def task_here(place: str, folder: bytes, whole: bool) -> Task:
    """A folder that the other server told of, as it is here."""
    return place, folder, None if whole else [os.path.basename(path) for path in found(place)]


def status(task: Task, entry: bytes) -> os.stat_result:
    """That of what a link leads to, where it is looked through and leads anywhere."""
    place, _, names = task
    through = names is not None or place.startswith(FOLLOWED)
    return os.stat(entry) if through and os.path.exists(entry) else os.lstat(entry)


def entries(
    task: Task, below: List[Task], gone: Tuple[Type[OSError], ...] = ()
) -> Iterator[Tuple[bytes, bytes, os.stat_result]]:
    """Each entry of a folder with its path, the folders among them put `below`. It works within the folder.

    A short name is found faster than a long path.
    """
    place, folder, names = task
    within = os.path.join(folder, b"")
    try:
        os.chdir(folder)
        names = sorted(os.listdir(b".")) if names is None else names
    except gone:
        return
    for entry in names:
        path = within + entry
        try:
            seen = status(task, entry)
        except gone:
            continue
        if stat.S_ISDIR(seen.st_mode):
            below.append((place, path, None))
        yield entry, path, seen
