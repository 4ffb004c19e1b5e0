"""Tell of every file below some places, or compare what was told with the files here.

Runs on the servers, with their Python from 3.5 on, so it imports nothing of this project:

    listing.py list SINCE PERCENT PLACE...      one JSON line a folder, at last how many there were
    listing.py ahead SINCE PERCENT PLACE...     of a server in use: files that rest, for their content
    listing.py compare FOLDER                   reads the lines of either
    listing.py unchanged FOLDER                 what `list` and `ahead` read: what need not be read again

A PLACE is a path, or a glob. The content of a file is told where it changed at SINCE (seconds) or later,
and for PERCENT of the rest, unless it was the same on both servers ahead and has changed on neither since.
`compare` writes `differences`, `again`, `mailboxes` and `sums` into FOLDER, and adds to `known` what is the
same ahead. Whatever lies in a PLACE here alone differs, unless the PLACE begins with a +.
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
import time
import zlib
from array import array
from bisect import bisect_left
from functools import lru_cache, partial
from itertools import chain, islice
from typing import IO, Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

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
Entries = Dict[str, Facts]
OCTAL = ("kind", "mode")

WAITING = 64  # folders that wait to be looked at: what keeps memory flat
CHUNK = 4
SAY_SECONDS = 2.0
REST_SECONDS = 5.0
"""A file that changed later than that may change again at the same ctime, whose clock ticks slowly."""

BEFORE = "compared before"  # stands for the content of a file whose key is known
KEY_BYTES = 8
KNOWN = "known"
SOME = 1000
LOST = 255  # the exit status where the line to the origin broke
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


def facts(path: bytes, found: os.stat_result) -> Facts:
    kind = stat.S_IFMT(found.st_mode)
    link, file = kind == stat.S_IFLNK, kind == stat.S_IFREG
    return Facts(
        kind,
        name(pwd.getpwuid, found.st_uid),
        name(grp.getgrgid, found.st_gid),
        found.st_mtime_ns,
        None if link else stat.S_IMODE(found.st_mode),
        None if link else attributes(path),
        found.st_size if file else None,
        text(os.fsencode(os.readlink(path))) if link else None,
        None,
        "{}:{}".format(found.st_dev, found.st_ino) if file and found.st_nlink > 1 else None,
    )


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
    return int.from_bytes(hashlib.sha256(told).digest()[:KEY_BYTES], "big")


class Chosen:
    """Of which files the content is told."""

    def __init__(self, since: float, percent: int) -> None:
        self.since, self.percent = since, percent

    def __call__(self, path: bytes, found: os.stat_result) -> bool:
        return found.st_ctime >= self.since or zlib.crc32(path) % 100 < self.percent


Task = Tuple[str, bytes, bool, List[bytes]]


def describe(chosen: Chosen, task: Task) -> Optional[str]:
    """One folder as a JSON line: [place, folder, whether these are all its entries, entries]."""
    place, folder, whole, names = task
    os.chdir(folder)  # a short name is found faster than a long path
    entries = {}
    for entry in names:
        found, path = os.lstat(entry), os.path.join(folder, entry)
        told = facts(entry, found)
        if told.size is not None and chosen(path, found):
            before = known is not None and key_of(path, found) in known
            told = told._replace(content=BEFORE if before else digest(entry))
        entries[text(entry)] = told
    return json.dumps([place, text(folder), whole, entries])


def describe_ahead(chosen: Chosen, rested: float, task: Task) -> Optional[str]:
    """One folder of a server in use: [folder, files as (name, size, modified, content, key)]; None without any."""
    folder, files = task[1], []
    for entry in task[3]:
        path = os.path.join(folder, entry)
        try:
            found = os.lstat(path)
            key = key_of(path, found)
            if (
                stat.S_ISREG(found.st_mode)
                and found.st_ctime < rested
                and chosen(path, found)
                and not (known and key in known)
            ):
                content = digest(path)
                if key_of(path, os.lstat(path)) == key:
                    files.append((text(entry), found.st_size, found.st_mtime_ns, content, key))
        except (FileNotFoundError, NotADirectoryError):
            continue  # deleted, or moved, meanwhile
    return json.dumps([text(folder), files]) if files else None


def found(place: str) -> List[bytes]:
    """The paths that a place means. A folder's `*` means the folder, since globs leave out hidden names."""
    pattern = os.fsencode(place.lstrip("+"))
    if os.path.basename(pattern) == b"*":
        pattern = os.path.dirname(pattern)
    return sorted(glob.glob(pattern))


def folders(place: str, fail: Callable[[OSError], None]) -> Iterator[Task]:
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


def fail_unless_gone(error: OSError) -> None:
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise error


known = None  # type: Optional[Keys]
"""What was compared ahead, in each process."""


def remember(keys: Optional[Keys]) -> None:
    global known
    known = keys


def spread(work: Callable[[Any], Any], tasks: Iterable[Any], keys: Optional[Keys] = None) -> Iterator[Any]:
    """Do the work on all processors, in order, a few tasks ahead."""
    places = threading.Semaphore(WAITING)

    def waiting() -> Iterator[Any]:
        for task in tasks:
            places.acquire()
            yield task

    with multiprocessing.Pool(initializer=remember, initargs=(keys,)) as pool:
        for done in pool.imap(work, waiting(), CHUNK):
            places.release()
            yield done


def tell(work: Callable[[Task], Optional[str]], tasks: Iterable[Task], keys: Keys) -> None:
    number = 0
    for line in filter(None, spread(work, tasks, keys)):
        print(line)
        number += 1
    print(json.dumps({"folders": number, "known": len(keys.numbers)}))


def differences(
    place: str, path: bytes, theirs: Optional[Facts], ours: Optional[Facts]
) -> Iterator[Dict[str, Any]]:
    """Each fact in which a path differs."""
    if theirs is None or ours is None:
        if not (theirs is None and place.startswith("+")):
            there, here = ("absent" if one is None else "there" for one in (theirs, ours))
            yield dict(item_of(place, path), what="existence", origin=there, target=here)
        return
    if theirs[:-1] == ours[:-1]:
        return
    is_folder = theirs.kind == stat.S_IFDIR
    for key in Facts._fields[:-1]:
        if key == "modified" and is_folder and place.startswith("+"):
            continue
        values = [getattr(one, key) for one in (theirs, ours)]
        if values[0] != values[1]:
            there, here = (oct(one) if key in OCTAL and one is not None else one for one in values)
            yield dict(item_of(place, path), what=key.replace("_", " "), origin=there, target=here)


def item_of(place: str, path: bytes) -> Dict[str, Any]:
    return {"item": readable(text(path)), "place": place.lstrip("+")}


class Seen:
    """What the comparison of a folder came to; `wrong` and `links` begin with the path."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.entries = self.bytes = self.content = self.before = 0
        self.wrong = []  # type: List[Tuple[str, Dict[str, Any]]]
        self.links = []  # type: List[Tuple[str, Optional[str], Optional[str]]]
        self.mail = None  # type: Any
        self.same = []  # type: List[Tuple[str, int, int]]


def look(line: bytes) -> Union[Dict[str, int], Seen]:
    """Compare a folder that was told. The last line tells how many there were, and what was known before."""
    told = json.loads(line.decode("ascii"))
    if isinstance(told, dict):
        return told
    return look_ahead(*told) if len(told) == 2 else look_at_all(*told)


def look_ahead(folder: str, files: List[Any]) -> Seen:
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


def look_at_all(place: str, within: str, whole: bool, told: Dict[str, List[Any]]) -> Seen:
    folder, seen = within.encode("latin-1"), Seen(place)
    theirs = {entry: Facts._make(one) for entry, one in told.items()}
    ours = here(folder, [os.path.basename(path) for path in found(place)] if not whole else None)
    for entry in sorted(theirs.keys() | ours.keys()):
        path = os.path.join(folder, entry.encode("latin-1"))
        one, other = theirs.get(entry), ours.get(entry)
        if one and other and one.content is not None and other.size is not None:
            other = other._replace(content=BEFORE if one.content == BEFORE else digest(path))
        seen.wrong += [(text(path), each) for each in differences(place, path, one, other)]
        if one and other and (one.linked or other.linked):
            seen.links.append((text(path), one.linked, other.linked))
    seen.entries = len(theirs)
    seen.bytes = sum(one.size for one in theirs.values() if one.size is not None)
    seen.content = sum(one.content not in (None, BEFORE) for one in theirs.values())
    seen.before = sum(one.content == BEFORE for one in theirs.values())
    seen.mail = mail(within, theirs, ours)
    return seen


def here(folder: bytes, names: Optional[List[bytes]]) -> Entries:
    """What a folder has here, or has of these names; nothing where there is no such folder."""
    if not os.path.isdir(folder):
        return {}
    os.chdir(folder)
    return {text(entry): facts(entry, os.lstat(entry)) for entry in names or os.listdir(b".")}


def mail(folder: str, *sides: Entries) -> Any:
    """[mailbox, folder, messages and bytes of either side] where the folder holds mail."""
    match = MAILBOX.search(folder)
    if not match and not BY_HASH.search(folder):
        return None
    sums = []
    for entries in sides:
        sizes = [one.size or 0 for entry, one in entries.items() if MESSAGE.match(entry)]
        sums += [len(sizes), sum(sizes)]
    if not match:
        return ["all, by hash", "", sums]
    domain, mailbox, below = match.groups()
    return [readable("{}@{}".format(mailbox.replace("^", "."), domain)), below, sums]


class Sums:
    """What has been compared so far."""

    def __init__(self) -> None:
        self.folders = self.entries = self.bytes = self.content = self.before = self.different = 0
        self.there = {}  # type: Dict[str, str]
        self.here = {}  # type: Dict[str, str]
        self.boxes = {}  # type: Dict[str, Dict[str, List[int]]]
        self.same = 0

    def add(self, seen: Seen) -> Iterator[Tuple[str, Dict[str, Any]]]:
        """Take a folder in; the paths in it that differ, with what differs."""
        self.folders += 1
        self.entries += seen.entries
        self.bytes += seen.bytes
        self.content += seen.content
        self.before += seen.before
        self.same += len(seen.same)
        self.add_mail(seen.mail)
        for difference in chain(seen.wrong, self.links(seen.place, seen.links)):
            self.different += 1
            yield difference

    def links(self, place: str, links: List[Any]) -> Iterator[Tuple[str, Dict[str, Any]]]:
        """Files that are one file on one side must be one file on the other."""
        for path, there, here in links:
            there, here = (place + (one or "alone " + path) for one in (there, here))
            same = self.there.setdefault(there, here) == here and self.here.setdefault(here, there) == there
            if not same:
                item = item_of(place, path.encode("latin-1"))
                yield path, dict(item, what="hard link", origin="linked otherwise", target="linked otherwise")

    def so_far(self) -> str:
        counted = "{} paths compared, {} of them by content, {} differ"
        return counted.format(self.entries, self.content, self.different)

    def add_mail(self, told: Any) -> None:
        if told:
            mailbox, folder, counted = told
            sums = self.boxes.setdefault(mailbox, {}).setdefault(folder, [0, 0, 0, 0])
            sums[:] = [one + other for one, other in zip(sums, counted)]


def compare(folder: str, lines: Iterable[bytes]) -> None:
    sums = Sums()
    with result(folder, "differences") as wrong, result(folder, "again", "wb") as again:
        told = differ(folder, sums, lines, wrong, again)
    if told.get("folders") != sums.folders:
        cut = "the list from the origin is cut: {} folders of {}"
        print(cut.format(sums.folders, told.get("folders")), file=sys.stderr)
        sys.exit(LOST)
    with result(folder, "mailboxes") as boxes:
        for mailbox in sorted(sums.boxes):
            counted = [sum(column) for column in zip(*sums.boxes[mailbox].values())]
            boxes.write(json.dumps([mailbox, len(sums.boxes[mailbox]), *counted]) + "\n")
    told_sums = {"entries": sums.entries, "bytes": sums.bytes, "by content": sums.content}
    told_sums.update({"read before": sums.before, "same content": told["known"] + sums.same})
    told_sums["differences"] = sums.different
    with result(folder, "sums") as file:
        json.dump(told_sums, file)
    print(json.dumps(told_sums))


def result(folder: str, name: str, mode: str = "w") -> IO[Any]:
    return open(os.path.join(folder, name), mode)


def differ(folder: str, sums: Sums, lines: Iterable[bytes], wrong: IO[Any], again: IO[Any]) -> Dict[str, int]:
    """Add up what the lines tell, write down what differs. Return the last one, empty where it did not come."""
    told, next_said = {}, 0.0  # type: Dict[str, int], float
    with result(folder, KNOWN, "a") as same:
        same.write("\n")  # the last line may be cut, where an earlier comparison was killed
        for seen in spread(look, lines):
            if isinstance(seen, dict):
                told = seen
                continue
            for path, difference in sums.add(seen):
                wrong.write(json.dumps(difference) + "\n")
                again.write(path.encode("latin-1") + b"\0")
            for one in seen.same:
                same.write(json.dumps(one) + "\n")
            if time.monotonic() > next_said:
                next_said = time.monotonic() + SAY_SECONDS
                print(sums.so_far(), file=sys.stderr, flush=True)
    return told


def unchanged(folder: str) -> None:
    """Print the origin's keys of the files that were the same ahead, and have not changed here since."""
    path = os.path.join(folder, KNOWN)
    if not os.path.exists(path):
        return
    with open(path) as known:
        for keys in spread(rested, iter(lambda: list(islice(known, SOME)), [])):
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


def main() -> None:
    if sys.argv[1] in ("compare", "unchanged"):
        unchanged(sys.argv[2]) if sys.argv[1] == "unchanged" else compare(sys.argv[2], sys.stdin.buffer)
        return
    chosen = Chosen(float(sys.argv[2]), int(sys.argv[3]))
    keys = Keys(sys.stdin.buffer.read())
    if sys.argv[1] == "ahead":
        work = partial(describe_ahead, chosen, time.time() - REST_SECONDS)
        gone = fail_unless_gone
    else:
        work, gone = partial(describe, chosen), fail
    tell(work, (task for place in sys.argv[4:] for task in folders(place, gone)), keys)


if __name__ == "__main__":
    main()
