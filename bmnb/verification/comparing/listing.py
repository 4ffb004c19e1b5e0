"""The origin tells of its files."""

import json
import os
from typing import Callable, Iterable, Optional

from .contents import Chosen, Keys, is_known, key_of, remember
from .paths import Task, digest, facts, text
from .processes import spread

BEFORE = "compared before"
"""Stands for the content of a file that is known to be the same."""


def describe(chosen: Chosen, task: Task) -> Optional[str]:
    """One folder as a JSON line: [place, folder, whether these are all its entries, entries]."""
    place, folder, whole, names = task
    os.chdir(folder)  # a short name is found faster than a long path
    entries = {}
    for entry in names:
        found, path = os.lstat(entry), os.path.join(folder, entry)
        told = facts(entry, found)
        if told.size is not None and chosen(path, found):
            told = told._replace(content=BEFORE if is_known(key_of(path, found)) else digest(entry))
        entries[text(entry)] = told
    return json.dumps([place, text(folder), whole, entries])


def tell(work: Callable[[Task], Optional[str]], tasks: Iterable[Task], keys: Keys) -> None:
    number = 0
    for line in filter(None, spread(work, tasks, remember, keys)):
        print(line)
        number += 1
    print(json.dumps({"folders": number, "known": len(keys.numbers)}))
