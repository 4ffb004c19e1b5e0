"""The origin tells of its files."""

import json
import stat
import zlib
from functools import partial
from os import stat_result
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from .known import Key, Keys, is_known, remember
from .mail import messages
from .paths import Facts, Task, begin, digest, entries, facts, linked, text
from .processes import descend

# entries of a folder that were the same ahead: names, which file for those with several, bytes, how many were
# compared by content, messages and their bytes
Known = NamedTuple(
    "Known",
    [
        ("names", List[str]),
        ("links", Dict[str, str]),
        ("bytes", int),
        ("content", int),
        ("messages", List[int]),
    ],
)


class Chosen:
    """Of which files the content is compared."""

    def __init__(self, since: float, percent: int) -> None:
        self.since, self.percent = since, percent

    def __call__(self, path: bytes, found: stat_result) -> bool:
        return stat.S_ISREG(found.st_mode) and (
            found.st_ctime >= self.since or zlib.crc32(path) % 100 < self.percent
        )


def describe(chosen: Chosen, key: Key, task: Task) -> Tuple[str, List[Task]]:
    """One folder as JSON: [place, folder, whether these are all its entries, facts by name, Known]."""
    place, folder, names = task
    told, sizes, links = {}, {}, {}  # type: Dict[str, Facts], Dict[str, int], Dict[str, str]
    content, below = 0, []  # type: int, List[Task]
    for entry, path, found in entries(task, below):
        name = text(entry)
        if not is_known(key(path, found)):
            told[name] = with_content(chosen, entry, path, found)
            continue
        sizes[name] = found.st_size if stat.S_ISREG(found.st_mode) else 0
        content += chosen(path, found)
        one = linked(found)
        if one:
            links[name] = one
    within = text(folder)
    known = Known(list(sizes), links, sum(sizes.values()), content, messages(within, sizes))
    return json.dumps([place, within, names is None, told, known]), below


def with_content(chosen: Chosen, entry: bytes, path: bytes, found: stat_result) -> Facts:
    told = facts(entry, found)
    return told._replace(content=digest(entry)) if chosen(path, found) else told


def tell(work: Callable[..., Any], since: str, percent: str, places: Iterable[str], told: bytes) -> None:
    """Print what the work tells of each folder, at last of how many, given the keys of what is known."""
    work = partial(work, Chosen(float(since), int(percent)), Key(since, percent))
    number = 0
    for line in filter(None, descend(work, begin(places), remember, Keys(told))):
        print(line)
        number += 1
    print(number)
