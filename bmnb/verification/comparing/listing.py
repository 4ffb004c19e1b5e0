"""The origin tells of its files."""

import json
import stat
import zlib
from functools import partial
from os import stat_result
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from .known import Key, Keys, is_known, remember, stamp
from .mail import messages
from .paths import Facts, Task, begin, digest, entries, facts, linked, text
from .processes import FEW, MANY, descend

# of the entries of a folder that were the same ahead: their names, None where they are all; how many; which file it
# is, of those with several names; bytes; how many were compared by content; messages and their bytes
Known = NamedTuple(
    "Known",
    [
        ("names", Optional[List[str]]),
        ("entries", int),
        ("links", Dict[str, str]),
        ("bytes", int),
        ("content", int),
        ("mail", List[int]),
    ],
)


class Chosen:
    """Of which files the content is compared."""

    def __init__(self, since: float, percent: int) -> None:
        self.since, self.percent = since, percent

    def __call__(self, path: bytes, found: stat_result) -> bool:
        return stat.S_ISREG(found.st_mode) and (
            self.percent == 100 or found.st_ctime >= self.since or zlib.crc32(path) % 100 < self.percent
        )


class Same:
    """What is known of a folder's entries."""

    def __init__(self, chosen: Chosen) -> None:
        self.chosen, self.content = chosen, 0
        self.sizes = {}  # type: Dict[str, int]
        self.links = {}  # type: Dict[str, str]

    def add(self, entry: bytes, path: bytes, found: stat_result) -> None:
        name, one = text(entry), linked(found)
        self.sizes[name] = found.st_size if stat.S_ISREG(found.st_mode) else 0
        self.content += self.chosen(path, found)
        if one:
            self.links[name] = one

    def told(self, folder: str, whole: bool) -> Known:
        names, size = None if whole else list(self.sizes), sum(self.sizes.values())
        return Known(names, len(self.sizes), self.links, size, self.content, messages(folder, self.sizes))


def describe(chosen: Chosen, key: Key, task: Task) -> Tuple[str, List[Task]]:
    """One folder as JSON: [place, folder, whether these are all its entries, facts by name, Known]."""
    place, folder, names = task
    told, same, below = {}, Same(chosen), []  # type: Dict[str, Facts], Same, List[Task]
    seen = [(stamp(entry, found), entry, path, found) for entry, path, found in entries(task, below)]
    whole = is_known(key.of_all(folder, [one[0] for one in seen]))
    for one, entry, path, found in seen:
        if whole or is_known(key.of(folder, one)):
            same.add(entry, path, found)
        else:
            told[text(entry)] = with_content(chosen, entry, path, found)
    within = text(folder)
    return json.dumps([place, within, names is None, told, same.told(within, whole)]), below


def with_content(chosen: Chosen, entry: bytes, path: bytes, found: stat_result) -> Facts:
    told = facts(entry, found)
    return told._replace(content=digest(entry, found)) if chosen(path, found) else told


def tell(work: Callable[..., Any], since: str, percent: str, places: Iterable[str], known: bytes) -> None:
    """Print what the work tells of each folder, at last of how many, given the keys of what is known."""
    work = partial(work, Chosen(float(since), int(percent)), Key(since, percent))
    # of what is known little is told
    number, most = 0, MANY if known else FEW
    for line in descend(work, begin(places), most, remember, Keys(known)):
        print(line)
        number += 1
    print(number)
