"""How far a pass has come, for who waits for it."""

import fcntl
import os
import subprocess
import sys
import time
from collections import Counter
from threading import Event, Thread
from typing import Dict, List, Mapping

from .lines import BLOCK, tree_of

SET_PIPE_SIZE = 1031
"""Linux's F_SETPIPE_SZ, which Python has a name for from 3.10 on."""


class Progress:
    """Tells on standard error every second, until its end, how many files of each tree have come, and bytes."""

    def __init__(self, trees: Mapping[str, int], size: int) -> None:
        self.trees, self.size = trees, size
        self.come: List["Counter[bytes]"] = []
        self.bytes: Dict[int, int] = {}
        self.over = Event()
        self.teller = Thread(target=self.tell)

    def __enter__(self) -> "Progress":
        self.teller.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.teller.join()

    def follow(self, process: "subprocess.Popen[bytes]") -> None:
        """Count what a process brings: it prints the name of each file, and of folders with a slash at the end."""
        come: "Counter[bytes]" = Counter()
        self.come.append(come)
        self.bytes[process.pid] = 0
        trees, rest = [os.fsencode(tree) for tree in self.trees], b""
        assert process.stdout
        pipe = process.stdout.fileno()
        fcntl.fcntl(pipe, SET_PIPE_SIZE, BLOCK)
        for block in iter(lambda: os.read(pipe, BLOCK), b""):
            *lines, rest = (rest + block).split(b"\n")
            come.update(tree_of(line, trees) for line in lines if not line.endswith(b"/"))
            # or each name would wake this process, which costs as much as the file itself
            time.sleep(0.1)

    def come_so_far(self) -> int:
        """Bytes, as of a second ago at most."""
        return sum(list(self.bytes.values()))

    def tell(self) -> None:
        while not self.over.wait(1.0):
            for process, before in list(self.bytes.items()):
                self.bytes[process] = max(before, received(process))
            come = sum(self.come, Counter())
            lines = [
                f"{tree}: {come[os.fsencode(tree)]} of {files} files" for tree, files in self.trees.items()
            ]
            lines.append(f"{min(self.size, self.come_so_far())} of {self.size} bytes")
            # a carriage return before as well as after: who reads the end only knows which line is whole
            print(*["", *lines, ""], sep="\r", end="", file=sys.stderr, flush=True)


def received(process: int) -> int:
    """The bytes that a process and its children have read; 0 where it has ended."""
    try:
        with open(f"/proc/{process}/io") as file:
            own = int(file.readline().split()[1])
        with open(f"/proc/{process}/task/{process}/children") as file:
            return own + sum(received(int(child)) for child in file.read().split())
    except (FileNotFoundError, ProcessLookupError):
        return 0
