"""Asking the origin's journal of changes, change_journal.py, what has changed.

What it tells is a hint, and never the proof. Where it has ended, lost an event or found that something else is
mounted, it does not answer, and who asks looks at everything.
"""

import os
import socket
import time
from contextlib import contextmanager
from typing import Iterator, List, Optional

SOCKET = "changes"
END = b"end of the answer"
BLOCK = 1 << 18
ANSWER_SECONDS = 10.0


def now() -> str:
    """This moment, as no other boot has it."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return f"{file.read().strip()} {time.monotonic()}"


@contextmanager
def address(folder: str) -> Iterator[str]:
    """By way of the open folder, since the path of a socket may have 107 bytes at most."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{opened}/{SOCKET}"
    finally:
        os.close(opened)


def changed_since(folder: str, moment: str) -> Optional[List[bytes]]:
    """The folders in which something has changed, given that of the socket; None where no journal knows."""
    with socket.socket(socket.AF_UNIX) as asking, address(folder) as place:
        asking.settimeout(ANSWER_SECONDS)
        try:
            asking.connect(place)
            asking.sendall(moment.encode())
            told = b"".join(iter(lambda: asking.recv(BLOCK), b""))
        except OSError:
            return None
    *found, last = told.split(b"\0")
    return found if last == END else None
