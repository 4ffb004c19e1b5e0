"""The target compares what the origin told with its own files."""

import json
import os
import stat
import sys
import time
from functools import partial
from itertools import chain
from typing import IO, Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from .ahead import REST_SECONDS, look_ahead
from .known import KNOWN, Key, drop_cut, put_in_order
from .listing import Known
from .mail import is_mailbox, mailbox_of, messages
from .paths import GONE, KEPT, Facts, digest, entries, facts, linked, task_here, text
from .processes import spread
from .seen import Seen, item_of

Difference = Dict[str, Any]
Entries = Dict[str, Facts]
OCTAL = ("kind", "mode")
SAY_SECONDS = 2.0
LOST = 255
"""The exit status where the line to the origin broke."""


def existence(place: str, path: bytes, there: bool) -> Iterator[Difference]:
    """A path is on one side alone, the origin's if `there`."""
    if there or not place.startswith(KEPT):
        origin, target = ("there", "absent") if there else ("absent", "there")
        yield dict(item_of(place, path), what="existence", origin=origin, target=target)


def differences(place: str, path: bytes, theirs: Facts, ours: Facts) -> Iterator[Difference]:
    """Each fact in which a path differs."""
    if theirs[:-1] == ours[:-1]:
        return
    is_folder = theirs.kind == stat.S_IFDIR
    for key in Facts._fields[:-1]:
        if key == "modified" and is_folder and place.startswith(KEPT):
            continue
        values = [getattr(one, key) for one in (theirs, ours)]
        if values[0] != values[1]:
            there, here = (oct(one) if key in OCTAL and one is not None else one for one in values)
            yield dict(item_of(place, path), what=key.replace("_", " "), origin=there, target=here)


def look(compare_folder: Callable[..., Seen], line: bytes) -> Union[int, Seen]:
    """Compare a folder that was told. The last line tells how many there were."""
    told = json.loads(line.decode("ascii"))
    return told if isinstance(told, int) else compare_folder(*told)


def look_at_all(place: str, within: str, whole: bool, told: Dict[str, List[Any]], same: List[Any]) -> Seen:
    """What was told must be the same, what is known must be there by its name, nothing else may be there.

    Where all of a folder is known, this server has seen it unchanged a moment ago: only links are looked at.
    """
    seen, known, folder = Seen(place), Known._make(same), within.encode("latin-1")
    theirs, ours = {name: Facts._make(one) for name, one in told.items()}, {}  # type: Entries, Entries
    names = set(known.links if known.names is None else known.names)
    linked_alone = place, folder, [name.encode("latin-1") for name in sorted(names)]
    task = linked_alone if known.names is None else task_here(place, folder, whole)
    for entry, path, found in entries(task, [], GONE):
        name = text(entry)
        if name not in names:
            ours[name] = facts_here(entry, found, theirs.get(name))
        elif name in known.links:
            seen.links.append((text(path), known.links[name], linked(found)))
        names.discard(name)
    for name in sorted(names | (theirs.keys() ^ ours.keys())):
        path = path_of(folder, name)
        seen.wrong += [(text(path), each) for each in existence(place, path, name not in ours)]
    for name in sorted(theirs.keys() & ours.keys()):
        path, one, other = path_of(folder, name), theirs[name], ours[name]
        seen.wrong += [(text(path), each) for each in differences(place, path, one, other)]
        seen.same += one.content is not None and one.content == other.content
        if one.linked or other.linked:
            seen.links.append((text(path), one.linked, other.linked))
    seen.entries = known.entries + len(theirs)
    seen.bytes = known.bytes + sum(sizes(theirs).values())
    seen.content = sum(one.content is not None for one in theirs.values())
    seen.before = known.content
    sides = [messages(within, sizes(side)) for side in (theirs, ours)]
    counted = [one + before for side in sides for one, before in zip(side, known.mail)]
    if any(counted) or is_mailbox(within):
        seen.mail = [*mailbox_of(place, within), counted]
    return seen


def path_of(folder: bytes, name: str) -> bytes:
    return os.path.join(folder, name.encode("latin-1"))


def facts_here(entry: bytes, found: os.stat_result, theirs: Optional[Facts]) -> Facts:
    """The content only where the origin told it."""
    ours = facts(entry, found)
    read = theirs and theirs.content is not None and ours.size is not None
    return ours._replace(content=digest(entry, found)) if read else ours


def sizes(side: Entries) -> Dict[str, int]:
    return {name: one.size or 0 for name, one in side.items()}


class Sums:
    """What has been compared so far."""

    def __init__(self) -> None:
        self.folders = self.entries = self.bytes = self.content = self.before = self.same = 0
        self.different = 0
        self.there = {}  # type: Dict[str, str]
        self.here = {}  # type: Dict[str, str]
        self.boxes = {}  # type: Dict[str, Dict[str, List[int]]]
        self.places = {}  # type: Dict[str, int]

    def add(self, seen: Seen) -> Iterator[Tuple[str, Difference]]:
        """Take a folder in; the paths in it that differ, with what differs."""
        self.folders += 1
        self.entries += seen.entries
        self.places[seen.place] = self.places.get(seen.place, 0) + seen.entries
        self.bytes += seen.bytes
        self.content += seen.content
        self.before += seen.before
        self.same += seen.same
        self.add_mail(seen.mail)
        for difference in chain(seen.wrong, self.links(seen.place, seen.links)):
            self.different += 1
            yield difference

    def links(self, place: str, links: List[Any]) -> Iterator[Tuple[str, Difference]]:
        """Files that are one file on one side must be one file on the other, also in two trees."""
        apart = place if place.startswith(KEPT) else ""
        for path, there, here in links:
            there, here = (apart + (one or "alone " + path) for one in (there, here))
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


def compare(how: str, folder: str, lines: Iterable[bytes]) -> None:
    """Compare what `list` or `ahead` told."""
    compare_folder = partial(look_ahead, time.time() - REST_SECONDS, Key()) if how == "ahead" else look_at_all
    sums = Sums()
    with result(folder, "differences") as wrong, result(folder, "again", "wb") as again:
        told = differ(folder, sums, spread(partial(look, compare_folder), lines), wrong, again)
    if told != sums.folders:
        cut = "the list from the origin is cut: {} folders of {}"
        print(cut.format(sums.folders, told), file=sys.stderr)
        sys.exit(LOST)
    if how == "ahead":
        put_in_order(folder)
    with result(folder, "mailboxes") as boxes:
        for mailbox in sorted(sums.boxes):
            counted = [sum(column) for column in zip(*sums.boxes[mailbox].values())]
            boxes.write(json.dumps([mailbox, len(sums.boxes[mailbox]), *counted]) + "\n")
    told_sums = {"entries": sums.entries, "bytes": sums.bytes, "by content": sums.content}
    told_sums.update({"read before": sums.before, "same content": sums.before + sums.same})
    told_sums["differences"] = sums.different
    places = {place.lstrip(KEPT): number for place, number in sums.places.items()}
    with result(folder, "sums") as file:
        json.dump(dict(told_sums, places=places), file)
    print(json.dumps(told_sums))


def result(folder: str, name: str, mode: str = "w") -> IO[Any]:
    return open(os.path.join(folder, name), mode)


def is_place_here_alone(path: str, difference: Difference) -> bool:
    """Where the origin has no such tree, there is nothing to copy."""
    return [path, "absent"] == [difference["place"], difference["origin"]]


def differ(
    folder: str, sums: Sums, compared: Iterable[Union[int, Seen]], wrong: IO[Any], again: IO[Any]
) -> Optional[int]:
    """Add up what was seen, write down what differs. Return the last line, None where it did not come."""
    told, next_said = None, 0.0  # type: Optional[int], float
    drop_cut(folder)
    with result(folder, KNOWN, "ab") as known:
        for seen in compared:
            if isinstance(seen, int):
                told = seen
                continue
            for path, difference in sums.add(seen):
                wrong.write(json.dumps(difference) + "\n")
                if not is_place_here_alone(path, difference):
                    again.write(path.encode("latin-1") + b"\0")
            known.write(seen.known)
            if time.monotonic() > next_said:
                next_said = time.monotonic() + SAY_SECONDS
                print(sums.so_far(), file=sys.stderr, flush=True)
    return told
