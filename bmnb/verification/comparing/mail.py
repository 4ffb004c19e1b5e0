"""Which folders hold mail, and which files in them are messages."""

import re
from typing import Dict, List, Tuple

from .paths import KEPT, readable

# /domain/<letter>/<domain>/<letter>/user/<mailbox>/<folders>, dots of the mailbox as ^; shared ones lack user/
MAILBOX = re.compile(r"/domain/[^/]/([^/]+)/[^/]/(?:user/|(?!user(?:/|$)))([^/]+)((?:/[^/]+)*)$", re.DOTALL)
# <letter>/user/<mailbox>/<folders> in the default domain, without the letter where Cyrus hashes nothing
WITHOUT_DOMAIN = re.compile(r"/user/([^/]+)((?:/[^/]+)*)$", re.DOTALL)
# <digit>/<digit>/<id>, from Cyrus 3.6 on
BY_ID = re.compile(r"/uuid/[^/]/[^/]/([^/]+)$")
SPOOL = re.compile(r"/(?:domain|user|uuid|cyrus[^/]*)(?:/|$)")
MESSAGE = re.compile(r"^\d+\.$|^[0-9a-f]{40}\.zst$")
BY_HASH = re.compile(r"/by_hash/[0-9a-f]/[0-9a-f]$")


def mailbox_of(place: str, folder: str) -> Tuple[str, str]:
    """The mailbox, and which of its folders it is; "all, ..." where the path doesn't tell whose the messages are."""
    match = MAILBOX.search(folder)
    if match:
        domain, mailbox, below = match.groups()
        return readable("{}@{}".format(mailbox.replace("^", "."), domain)), below
    if BY_HASH.search(folder):
        return "all, by hash", ""
    match = BY_ID.search(folder)
    if match:
        return "all, by id", match.group(1)
    match = WITHOUT_DOMAIN.search(folder)
    if match:
        return readable(match.group(1).replace("^", ".")), match.group(2)
    return "all, elsewhere in {}".format(place.lstrip(KEPT)), folder


def is_mailbox(folder: str) -> bool:
    """Whether it is one by its path, even without messages."""
    return bool(MAILBOX.search(folder) or BY_HASH.search(folder))


def messages(folder: str, sizes: Dict[str, int]) -> List[int]:
    """How many messages a folder has, and their bytes."""
    if not (SPOOL.search(folder) or BY_HASH.search(folder)):
        return [0, 0]
    found = [size for entry, size in sizes.items() if MESSAGE.match(entry)]
    return [len(found), sum(found)]
