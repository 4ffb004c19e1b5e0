"""Comparing ahead, while the origin is in use: only what rests, and is the same in everything, is known."""

import errno
import json
import os
import time
from typing import Any, Dict, List, Optional, Tuple

from .known import PAIR, Key, is_known
from .listing import Chosen, with_content
from .paths import GONE, Facts, Task, digest, entries, facts, text
from .seen import Seen, item_of

REST_SECONDS = 5.0
"""What changed later than that may change again at the same ctime, whose clock ticks slowly."""

MEANWHILE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENODATA, errno.EINVAL)
"""What is said of a path that was deleted, or became something else, or lost an attribute, since it was seen."""


def rests(found: os.stat_result) -> bool:
    return found.st_ctime < time.time() - REST_SECONDS


def describe_ahead(chosen: Chosen, key: Key, task: Task) -> Tuple[Optional[str], List[Task]]:
    """What is not known of a folder: [place, folder, how many are known by content, (key, facts) by name]."""
    told, content, below = {}, 0, []  # type: Dict[str, Tuple[int, Facts]], int, List[Task]
    for entry, path, found in entries(task, below, GONE):
        number = key(path, found)
        if is_known(number):
            content += chosen(path, found)
        elif rests(found):
            try:
                one = with_content(chosen, entry, path, found)
                if key(path, os.lstat(entry)) == number:
                    told[text(entry)] = number, one
            except OSError as error:
                if error.errno not in MEANWHILE:
                    raise
    line = json.dumps([task[0], text(task[1]), content, told]) if told or content else None
    return line, below


def look_ahead(key: Key, place: str, within: str, known: int, told: Dict[str, Tuple[int, List[Any]]]) -> Seen:
    """Only what a pass has brought counts; whatever changed since, the next one brings."""
    seen, folder = Seen(place), within.encode("latin-1")
    seen.before = known
    names = [name.encode("latin-1") for name in sorted(told)]
    for entry, path, found in entries((place, folder, names), [], GONE):
        theirs_key, all_theirs = told[text(entry)]
        number, theirs, ours = key(path, found), Facts._make(all_theirs), facts(entry, found)
        if theirs._replace(content=None, linked=None) != ours._replace(linked=None):
            continue
        seen.entries += 1
        seen.bytes += theirs.size or 0
        if theirs.content is not None:
            seen.content += 1
            content = digest(entry)
            if content != theirs.content:
                item = dict(item_of(place, path), what="content", origin=theirs.content, target=content)
                seen.wrong.append((text(path), item))
                continue
            seen.same += 1
        several = [one.linked is not None for one in (theirs, ours)]
        if several[0] == several[1] and rests(found) and key(path, os.lstat(entry)) == number:
            seen.known += PAIR.pack(number, theirs_key)
    return seen
