"""Comparing ahead, while the origin is in use: only what rests, and is the same in everything, is known."""

import errno
import json
import os
from typing import Any, Dict, List, Set, Tuple

from .known import PAIR, Key, is_known, stamp
from .listing import Chosen, with_content
from .paths import GONE, Facts, Task, digest, entries, facts, status, task_here, text
from .seen import Seen, item_of

REST_SECONDS = 5.0
"""What changed later than that may change again at the same ctime, whose clock ticks slowly."""

MEANWHILE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENODATA, errno.EINVAL)
"""What is said of a path that was deleted, became something else, or lost an attribute since it was seen."""


def key_now(key: Key, task: Task) -> int:
    return key.of_all(task[1], [stamp(entry, found) for entry, _, found in entries(task, [], GONE)])


def describe_ahead(before: float, chosen: Chosen, key: Key, task: Task) -> Tuple[str, List[Task]]:
    """One folder as JSON: [place, folder, whole, (key, facts) by name, names that are known, content, key].

    Only of what has changed `before` that time. `whole` and `content` are as in `describe`; the last key is that of
    all entries, 0 where not all of them are told, or it is known.
    """
    place, folder, only = task
    told, names, content = {}, [], 0  # type: Dict[str, Tuple[int, Facts]], List[str], int
    below = []  # type: List[Task]
    seen = [(stamp(entry, found), entry, path, found) for entry, path, found in entries(task, below, GONE)]
    every = key.of_all(folder, [one[0] for one in seen])
    whole = is_known(every)
    for one, entry, path, found in seen:
        number = 0 if whole else key.of(folder, one)
        if whole or is_known(number):
            names.append(text(entry))
            content += chosen(path, found)
        elif found.st_ctime < before:
            try:
                described = with_content(chosen, entry, path, found)
                if stamp(entry, status(task, entry)) == one:
                    told[text(entry)] = number, described
            except OSError as error:
                if error.errno not in MEANWHILE:
                    raise
    if whole or len(told) + len(names) < len(seen) or key_now(key, task) != every:
        every = 0
    return json.dumps([place, text(folder), only is None, told, names, content, every]), below


def look_ahead(
    before: float,
    key: Key,
    place: str,
    within: str,
    whole: bool,
    told: Dict[str, Tuple[int, List[Any]]],
    names: List[str],
    content: int,
    every: int,
) -> Seen:
    """Only what a pass has brought counts; whatever changed since, the next one brings.

    What has changed here since `before` is compared, but not known: what was known then may have changed, too.
    """
    seen, stamps, same = Seen(place), [], 0  # type: Seen, List[bytes], int
    seen.before = content
    folder, known, pairs = within.encode("latin-1"), set(names), []  # type: bytes, Set[str], List[Tuple[int, int]]
    task = task_here(place, folder, whole)
    for entry, path, found in entries(task, [], GONE):
        stamps.append(stamp(entry, found))
        name, rests = text(entry), found.st_ctime < before
        if name in told:
            number, theirs = told[name]
            if look_at_entry(seen, Facts._make(theirs), entry, path, found) and rests:
                pairs.append((key.of(folder, stamps[-1]), number))
        elif name in known and rests:
            same += 1
    all_here = key.of_all(folder, stamps)
    if every and len(pairs) + same == len(stamps) == len(told) + len(names):
        pairs.append((all_here, every))
    if key_now(key, task) == all_here:
        seen.known = b"".join(PAIR.pack(*pair) for pair in pairs)
    return seen


def look_at_entry(seen: Seen, theirs: Facts, entry: bytes, path: bytes, found: os.stat_result) -> bool:
    """Whether it is the same in everything."""
    ours = facts(entry, found)
    if theirs._replace(content=None, linked=None) != ours._replace(linked=None):
        return False
    seen.entries += 1
    seen.bytes += theirs.size or 0
    if theirs.content is not None:
        seen.content += 1
        content = digest(entry, found)
        if content != theirs.content:
            item = dict(item_of(seen.place, path), what="content", origin=theirs.content, target=content)
            seen.wrong.append((text(path), item))
            return False
        seen.same += 1
    return bool(theirs.linked) == bool(ours.linked)
