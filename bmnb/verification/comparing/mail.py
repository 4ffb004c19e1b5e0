"""Which folders hold mail, and which files in them are messages."""

import re
from typing import Dict, List, Optional, Tuple

from .paths import readable

# /domain/<letter>/<domain>/<letter>/user/<mailbox>/<folders>, dots of the mailbox as ^; shared ones lack user/
MAILBOX = re.compile(r"/domain/[^/]/([^/]+)/[^/]/(?:user/|(?!user(?:/|$)))([^/]+)((?:/[^/]+)*)$", re.DOTALL)
MESSAGE = re.compile(r"^\d+\.$|^[0-9a-f]{40}\.zst$")
BY_HASH = re.compile(r"/by_hash/[0-9a-f]/[0-9a-f]$")


def mailbox_of(folder: str) -> Optional[Tuple[str, str]]:
    """The mailbox, and which of its folders it is."""
    match = MAILBOX.search(folder)
    if match:
        domain, mailbox, below = match.groups()
        return readable("{}@{}".format(mailbox.replace("^", "."), domain)), below
    return ("all, by hash", "") if BY_HASH.search(folder) else None


def messages(folder: str, sizes: Dict[str, int]) -> List[int]:
    """How many messages a folder of mail has, and their bytes."""
    if not mailbox_of(folder):
        return [0, 0]
    found = [size for entry, size in sizes.items() if MESSAGE.match(entry)]
    return [len(found), sum(found)]
