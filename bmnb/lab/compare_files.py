"""List every path below the places that are given, one JSON line each: [path, facts]. Runs on the servers' Python.

A place that is a link is looked through, since who uses it sees what it leads to. Below a place a link is data among
other data, but for those of configuration, which is read through all its links.
"""

import grp
import hashlib
import json
import os
import pwd
import stat
import sys
from typing import Any, Callable, Dict, Iterator, List, Tuple

DATA = (b"/var/spool/", b"/var/lib/cyrus")

groups: Dict[Tuple[int, int], List[Tuple[bytes, Dict[str, Any]]]] = {}


def name(find: Callable[[int], Any], number: int, attribute: str) -> str:
    try:
        return str(getattr(find(number), attribute))
    except KeyError:
        return f"number {number}"


def content(path: bytes) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def facts(path: bytes, through: bool) -> Dict[str, Any]:
    found = os.stat(path) if through and os.path.exists(path) else os.lstat(path)
    kind = stat.S_IFMT(found.st_mode)
    link = kind == stat.S_IFLNK
    told: Dict[str, Any] = {
        "kind": f"{kind:o}",
        "mode": "" if link else f"{stat.S_IMODE(found.st_mode):o}",
        "owner": name(pwd.getpwuid, found.st_uid, "pw_name"),
        "group": name(grp.getgrgid, found.st_gid, "gr_name"),
    }
    if link:
        told["leads to"] = os.fsencode(os.readlink(path)).decode("latin-1")
        return told
    told["mtime"] = found.st_mtime_ns
    # access lists hold numbers of users, which differ between servers as they should: their size is compared
    told["attributes"] = {
        one: len(os.getxattr(path, one)) if one.startswith("system.") else os.getxattr(path, one).hex()
        for one in sorted(os.listxattr(path))
    }
    if kind == stat.S_IFREG:
        told["size"] = found.st_size
        told["sha256"] = content(path)
        if found.st_nlink > 1:
            groups.setdefault((found.st_dev, found.st_ino), []).append((path, told))
    return told


def walk(place: bytes, named: bool = True) -> Iterator[Tuple[bytes, bool]]:
    """Each path, and whether it is looked at through a link."""
    if not os.path.lexists(place):
        return
    through = named or not place.startswith(DATA)
    yield place, through
    if os.path.isdir(place) and (through or not os.path.islink(place)):
        for entry in sorted(os.listdir(place)):
            yield from walk(os.path.join(place, entry), named=False)


listed = [
    (path, facts(path, through)) for place in sys.argv[1:] for path, through in walk(os.fsencode(place))
]
for members in (group for group in groups.values() if len(group) > 1):
    first = members[0][0].decode("latin-1")
    for _, told in members:
        told["linked with"] = [first, len(members)]
for path, told in listed:
    print(json.dumps([path.decode("latin-1"), told]))
