"""Comparing ahead, while the origin is in use: only what rests, and is the same in everything, is known."""

import errno
import json
import os
import time
from typing import Any, Dict, List, Set, Tuple

from .known import PAIR, Key, is_known, stamp
from .listing import Chosen, with_content
from .paths import GONE, Facts, Task, digest, entries, facts, task_here, text
from .seen import Seen, item_of

REST_SECONDS = 5.0
"""What changed later than that may change again at the same ctime, whose clock ticks slowly."""

MEANWHILE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENODATA, errno.EINVAL)
"""What is said of a path that was deleted, became something else, or lost an attribute since it was seen."""

Rested = Dict[str, Tuple[int, Facts]]
"""Key and facts by name."""


def rests(found: os.stat_result) -> bool:
    return found.st_ctime < time.time() - REST_SECONDS


def key_of_all(key: Key, task: Task) -> int:
    return key.of_all(task[1], [stamp(entry, found) for entry, _, found in entries(task, [], GONE)])


def describe_ahead(chosen: Chosen, key: Key, task: Task) -> Tuple[str, List[Task]]:
    """One folder as JSON: [place, folder, whole, Rested, names that are known, content, key].

    `whole` and `content` are those of `describe`; the key is that of all entries, 0 unless all are told now.
    """
    place, folder, only = task
    below, stamps, content = [], [], 0  # type: List[Task], List[bytes], int
    for entry, path, found in entries(task, below, GONE):
        stamps.append(stamp(entry, found))
        content += chosen(path, found)
    whole = key.of_all(folder, stamps)
    rested, names = {}, []  # type: Rested, List[str]
    if is_known(whole):
        whole = 0
    else:
        rested, names, content = describe_entries(chosen, key, task)
        if len(rested) + len(names) < len(stamps) or key_of_all(key, task) != whole:
            whole = 0
    return json.dumps([place, text(folder), only is None, rested, names, content, whole]), below


def describe_entries(chosen: Chosen, key: Key, task: Task) -> Tuple[Rested, List[str], int]:
    rested, names, content = {}, [], 0  # type: Rested, List[str], int
    for entry, path, found in entries(task, [], GONE):
        number = key.of(path, found)
        if is_known(number):
            names.append(text(entry))
            content += chosen(path, found)
        elif rests(found):
            try:
                one = with_content(chosen, entry, path, found)
                if key.of(path, os.lstat(entry)) == number:
                    rested[text(entry)] = number, one
            except OSError as error:
                if error.errno not in MEANWHILE:
                    raise
    return rested, names, content


def look_ahead(
    key: Key, place: str, within: str, whole: bool, told: Any, names: List[str], content: int, all_there: int
) -> Seen:
    """Only what a pass has brought counts; whatever changed since, the next one brings."""
    seen, known, stamps, pairs = Seen(place), set(names), [], []  # type: Seen, Set[str], List[bytes], List[Any]
    seen.before = content
    task = task_here(place, within.encode("latin-1"), whole)
    for entry, path, found in entries(task, [], GONE):
        stamps.append(stamp(entry, found))
        name = text(entry)
        if name in told:
            number, theirs = told[name]
            if look_at_entry(seen, Facts._make(theirs), entry, path, found):
                pairs.append((key.of(path, found), number))
        else:
            known.discard(name)
    all_here = key.of_all(task[1], stamps)
    if len(pairs) == len(told) and not known and len(stamps) == len(told) + len(names):
        pairs.append((all_here, all_there))
    if key_of_all(key, task) == all_here:
        seen.known = b"".join(PAIR.pack(*pair) for pair in pairs if all(pair))
    return seen


def look_at_entry(seen: Seen, theirs: Facts, entry: bytes, path: bytes, found: os.stat_result) -> bool:
    """Whether it is the same in everything, and rests."""
    rested, ours = rests(found), facts(entry, found)
    if theirs._replace(content=None, linked=None) != ours._replace(linked=None):
        return False
    seen.entries += 1
    seen.bytes += theirs.size or 0
    if theirs.content is not None:
        seen.content += 1
        content = digest(entry)
        if content != theirs.content:
            item = dict(item_of(seen.place, path), what="content", origin=theirs.content, target=content)
            seen.wrong.append((text(path), item))
            return False
        seen.same += 1
    return rested and bool(theirs.linked) == bool(ours.linked)
