"""Tell of every file below some places, or compare what was told with the files here.

Runs on the servers, with their Python from 3.5 on, so it imports nothing of this project:

    listing.py list SINCE PERCENT PLACE...      one JSON line a folder, at last how many there were
    listing.py compare FOLDER                   reads those lines

A PLACE is a path, or a glob. The content of a file is told where it changed at SINCE (seconds) or later,
and for PERCENT of the rest. `compare` writes `differences`, `again` and `mailboxes` into FOLDER and prints
its sums. Whatever lies in a PLACE here alone differs, unless the PLACE begins with a +.
"""

import glob
import grp
import hashlib
import json
import multiprocessing
import os
import pwd
import re
import stat
import struct
import sys
import threading
import zlib
from functools import lru_cache, partial
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

Facts = Dict[str, Any]

AHEAD = 200  # folders that wait to be looked at: what keeps memory flat
ACL_USER, ACL_GROUP = 2, 8
NOT_COPIED = ("security.selinux",)

# /domain/<letter>/<domain>/<letter>/user/<mailbox>/<folders>, dots of the mailbox as ^; shared ones lack user/
MAILBOX = re.compile(r"/domain/[^/]/([^/]+)/[^/]/(?:user/|(?!user(?:/|$)))([^/]+)((?:/[^/]+)*)$", re.DOTALL)
MESSAGE = re.compile(r"^\d+\.$|^[0-9a-f]{40}\.zst$")
BY_HASH = re.compile(r"/by_hash/[0-9a-f]/[0-9a-f]$")


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


def digest(path: bytes) -> str:
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest()


def access_list(value: bytes) -> str:
    """An access list holds numbers of users and groups, which differ between systems: their names are told."""
    told = []
    for tag, mode, number in struct.iter_unpack("<HHI", value[4:]):
        find = {ACL_USER: pwd.getpwuid, ACL_GROUP: grp.getgrgid}.get(tag)
        told.append("{}:{}:{}".format(tag, name(find, number) if find else "", mode))
    return " ".join(told)


def attributes(path: bytes) -> Dict[str, str]:
    told = {}
    for key in os.listxattr(path, follow_symlinks=False):
        if key not in NOT_COPIED:
            value = os.getxattr(path, key, follow_symlinks=False)
            told[key] = access_list(value) if key.startswith("system.posix_acl") else value.hex()
    return told


def facts(path: bytes) -> Facts:
    found = os.lstat(path)
    kind = stat.S_IFMT(found.st_mode)
    told = {
        "kind": oct(kind),
        "owner": name(pwd.getpwuid, found.st_uid),
        "group": name(grp.getgrgid, found.st_gid),
        "modified": found.st_mtime_ns,
    }  # type: Facts
    if kind == stat.S_IFLNK:
        told["leads to"] = text(os.fsencode(os.readlink(path)))
        return told
    told["mode"] = oct(stat.S_IMODE(found.st_mode))
    told["attributes"] = attributes(path)
    if kind == stat.S_IFREG:
        told["size"] = found.st_size
        if found.st_nlink > 1:
            told["linked"] = "{}:{}".format(found.st_dev, found.st_ino)
    return told


def chosen(since: float, percent: int, path: bytes) -> bool:
    return os.lstat(path).st_ctime >= since or zlib.crc32(path) % 100 < percent


def describe(since: float, percent: int, task: Tuple[str, bytes, bool, List[bytes]]) -> str:
    """One folder as a JSON line: [place, folder, whether these are all its entries, entries]."""
    place, folder, whole, names = task
    entries = {}
    for entry in names:
        path = os.path.join(folder, entry)
        told = facts(path)
        if "size" in told and chosen(since, percent, path):
            told["content"] = digest(path)
        entries[text(entry)] = told
    return json.dumps([place, text(folder), whole, entries])


def found(place: str) -> List[bytes]:
    """The paths that a place means. A folder's `*` means the folder, since globs leave out hidden names."""
    pattern = os.fsencode(place.lstrip("+"))
    if os.path.basename(pattern) == b"*":
        pattern = os.path.dirname(pattern)
    return sorted(glob.glob(pattern))


def folders(place: str) -> Iterator[Tuple[str, bytes, bool, List[bytes]]]:
    """Each folder of a place with the names in it; first the one that the place itself is in, with it alone."""
    paths = found(place)
    if paths:
        yield place, os.path.dirname(paths[0]), False, [os.path.basename(path) for path in paths]
    for path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            for folder, below, files in os.walk(path, onerror=fail):
                below.sort()
                yield place, folder, True, sorted(below + files)


def fail(error: OSError) -> None:
    raise error


def spread(work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
    """Do the work on all processors, in order, a few tasks ahead."""
    places = threading.Semaphore(AHEAD)

    def waiting() -> Iterator[Any]:
        for task in tasks:
            places.acquire()
            yield task

    with multiprocessing.Pool() as pool:
        for done in pool.imap(work, waiting()):
            places.release()
            yield done


def tell(since: float, percent: int, places: List[str]) -> None:
    number = 0
    for line in spread(
        partial(describe, since, percent), (one for place in places for one in folders(place))
    ):
        print(line)
        number += 1
    print(json.dumps(number))


def differences(place: str, path: bytes, theirs: Optional[Facts], ours: Optional[Facts]) -> Iterator[Facts]:
    """Each fact in which a path differs."""
    item = {"item": readable(text(path)), "place": place.lstrip("+")}
    if theirs is None or ours is None:
        if not (theirs is None and place.startswith("+")):
            there, here = ("absent" if one is None else "there" for one in (theirs, ours))
            yield dict(item, what="existence", origin=there, target=here)
        return
    for key in sorted((theirs.keys() | ours.keys()) - {"linked"}):
        is_folder = theirs["kind"] == oct(stat.S_IFDIR)
        if key == "modified" and is_folder and place.startswith("+"):
            continue
        if theirs.get(key) != ours.get(key):
            yield dict(item, what=key, origin=theirs.get(key), target=ours.get(key))


def look(line: bytes) -> Any:
    """Compare one folder that was told: [place, entries, bytes, files by content, differences, links, mail]."""
    told = json.loads(line.decode("ascii"))
    if isinstance(told, int):
        return told
    place, folder, whole, theirs = told[0], told[1].encode("latin-1"), told[2], told[3]
    names = [os.path.basename(path) for path in found(place)] if not whole else here(folder)
    ours = {text(entry): facts(os.path.join(folder, entry)) for entry in names}
    wrong, links = [], []
    for entry in sorted(theirs.keys() | ours.keys()):
        path = os.path.join(folder, entry.encode("latin-1"))
        one, other = theirs.get(entry), ours.get(entry)
        if one and other and "content" in one and "size" in other:
            other["content"] = digest(path)
        wrong += [(text(path), each) for each in differences(place, path, one, other)]
        if one and other and ("linked" in one or "linked" in other):
            links.append((text(path), one.get("linked"), other.get("linked")))
    sizes = [one["size"] for one in theirs.values() if "size" in one]
    hashed = sum("content" in one for one in theirs.values())
    return [place, len(theirs), sum(sizes), hashed, wrong, links, mail(told[1], theirs, ours)]


def here(folder: bytes) -> List[bytes]:
    return os.listdir(folder) if os.path.isdir(folder) else []


def mail(folder: str, *sides: Dict[str, Facts]) -> Any:
    """[mailbox, folder, messages and bytes of either side] where the folder holds mail."""
    match = MAILBOX.search(folder)
    if not match and not BY_HASH.search(folder):
        return None
    sums = []
    for entries in sides:
        sizes = [one.get("size", 0) for entry, one in entries.items() if MESSAGE.match(entry)]
        sums += [len(sizes), sum(sizes)]
    if not match:
        return ["all, by hash", "", sums]
    domain, mailbox, below = match.groups()
    return [readable("{}@{}".format(mailbox.replace("^", "."), domain)), below, sums]


class Sums:
    """What has been compared so far."""

    def __init__(self) -> None:
        self.entries = self.bytes = self.content = self.different = 0
        self.there = {}  # type: Dict[str, str]
        self.here = {}  # type: Dict[str, str]
        self.boxes = {}  # type: Dict[str, Dict[str, List[int]]]

    def links(self, place: str, links: List[Any]) -> Iterator[Tuple[str, Facts]]:
        """Files that are one file on one side must be one file on the other."""
        for path, there, here in links:
            there, here = (place + (one or "alone " + path) for one in (there, here))
            same = self.there.setdefault(there, here) == here and self.here.setdefault(here, there) == there
            if not same:
                item = {"item": readable(path), "place": place.lstrip("+"), "what": "hard link"}
                yield path, dict(item, origin="linked otherwise", target="linked otherwise")

    def add_mail(self, told: Any) -> None:
        if told:
            mailbox, folder, counted = told
            sums = self.boxes.setdefault(mailbox, {}).setdefault(folder, [0, 0, 0, 0])
            sums[:] = [one + other for one, other in zip(sums, counted)]


def compare(folder: str, lines: Iterable[bytes]) -> None:
    sums, number, told = Sums(), 0, None
    with (
        open(os.path.join(folder, "differences"), "w") as wrong,
        open(os.path.join(folder, "again"), "wb") as again,
    ):
        for seen in spread(look, lines):
            if isinstance(seen, int):
                told = seen
                continue
            number += 1
            place, entries, size, content, differing, links, mailbox = seen
            sums.entries += entries
            sums.bytes += size
            sums.content += content
            sums.add_mail(mailbox)
            for path, difference in list(differing) + list(sums.links(place, links)):
                sums.different += 1
                wrong.write(json.dumps(difference) + "\n")
                again.write(path.encode("latin-1") + b"\0")
    if told != number:
        raise SystemExit("the list from the origin is cut: {} folders of {}".format(number, told))
    with open(os.path.join(folder, "mailboxes"), "w") as boxes:
        for mailbox in sorted(sums.boxes):
            counted = [sum(column) for column in zip(*sums.boxes[mailbox].values())]
            boxes.write(json.dumps([mailbox, len(sums.boxes[mailbox]), *counted]) + "\n")
    told_sums = {"entries": sums.entries, "bytes": sums.bytes, "by content": sums.content}
    print(json.dumps(dict(told_sums, differences=sums.different)))


if __name__ == "__main__":
    if sys.argv[1] == "list":
        tell(float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
    else:
        compare(sys.argv[2], sys.stdin.buffer)
