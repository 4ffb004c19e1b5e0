"""The target compares what the origin told with its own files."""

import json
import os
import re
import stat
import sys
import time
from itertools import chain
from typing import IO, Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from .contents import KNOWN, look_ahead
from .listing import BEFORE
from .paths import Facts, digest, facts, found, readable, text
from .processes import spread
from .seen import Seen, item_of

Entries = Dict[str, Facts]
OCTAL = ("kind", "mode")
SAY_SECONDS = 2.0
LOST = 255
"""The exit status where the line to the origin broke."""

# /domain/<letter>/<domain>/<letter>/user/<mailbox>/<folders>, dots of the mailbox as ^; shared ones lack user/
MAILBOX = re.compile(r"/domain/[^/]/([^/]+)/[^/]/(?:user/|(?!user(?:/|$)))([^/]+)((?:/[^/]+)*)$", re.DOTALL)
MESSAGE = re.compile(r"^\d+\.$|^[0-9a-f]{40}\.zst$")
BY_HASH = re.compile(r"/by_hash/[0-9a-f]/[0-9a-f]$")


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


def look(line: bytes) -> Union[Dict[str, int], Seen]:
    """Compare a folder that was told. The last line tells how many there were, and what was known before."""
    told = json.loads(line.decode("ascii"))
    if isinstance(told, dict):
        return told
    return look_ahead(*told) if len(told) == 2 else look_at_all(*told)


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
    there = os.listdir(b".") if names is None else names
    return {text(entry): facts(entry, os.lstat(entry)) for entry in there}


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
