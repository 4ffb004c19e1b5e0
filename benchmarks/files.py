"""Files alone, by their number: rsync as the document has it, the fast engine without and with a journal of changes.

fpsync too, where it is installed.

python -m benchmarks.files 50000 200000 1000000: seconds of the first hot pass and of the cold pass, and memory of
both servers' processes together. Both servers are mount namespaces of this machine, with no network between them,
so that millions of files need no lab; they lie in TMPDIR. However many files there are, the same number changes.
"""

from __future__ import annotations

import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from benchmarks.cost import Cost, cost
from benchmarks.sides import JOBS, Sides
from bmnb.transfer import files
from bmnb.transfer.programs import changes, lists

FILES_A_FOLDER, FOLDERS_A_USER = 50, 10
CHANGES = 1_000


class Measured(Sides):
    """Each variant with what a pass of it costs."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.kept = place / "kept"
        self.kept.mkdir()
        self.shell = place / "shell"
        # rsync gives its shell a user, a host, and the words of a command
        self.shell.write_text(f'#!/bin/bash\nshift 3\nexec {shlex.join(self.on("origin"))} "$*"\n')
        self.shell.chmod(0o700)

    def literal(self, services: str) -> Cost:
        line = f"RSYNC_RSH={self.shell} {files.synchronize('origin', f'{self.seen}/tree')}"
        return cost(*self.on("target"), line)

    def fast(self, services: str) -> Cost:
        return cost(*self.carrying(services))

    @contextmanager
    def journal(self) -> Iterator[None]:
        with subprocess.Popen(self.watching()) as watching:
            place = self.place / "origin/lists" / changes.SOCKET
            while not place.exists() and watching.poll() is None:
                time.sleep(0.1)
            try:
                yield
            finally:
                watching.kill()

    def fpsync(self) -> Cost:
        """fpsync deletes nothing that the origin has no more, so that it has no cold pass."""
        # it gives rsync lists of files, so that -r is its own
        options = "-lptgoDHAX --modify-window=-1"
        return cost("fpsync", "-n", JOBS, "-o", options, f"{self.of('origin')}/", f"{self.of('target')}/")

    def new_target(self) -> None:
        """An empty target; what was there is kept."""
        for part in (self.of("target"), *(self.place / side / "lists" for side in ("origin", "target"))):
            part.rename(self.kept / str(len(list(self.kept.iterdir()))))
            part.mkdir()

    @property
    def differences(self) -> int:
        return len(self.differing().splitlines())


def fill(tree: Path, number: int) -> list[Path]:
    """Write so many small messages; return their paths."""
    content = os.urandom(1 << 16)
    folders = [tree / f"u{one // FOLDERS_A_USER}/f{one}" for one in range(number // FILES_A_FOLDER)]
    found = []
    for folder in folders:
        folder.mkdir(parents=True)
        for name in range(FILES_A_FOLDER):
            path = folder / f"{name}."
            path.write_bytes(content[: random.randint(200, 3_000)])
            found.append(path)
    return found


def change(messages: list[Path]) -> list[Path]:
    """Add, rewrite at the same size and time, rename and delete; return what is to be sent, and forget what is gone."""
    random.shuffle(messages)
    quarter = CHANGES // 4
    one, two, three = (messages[at * quarter : (at + 1) * quarter] for at in range(3))
    del messages[: 3 * quarter]
    for path in one:
        path.unlink()
    renamed = [path.rename(path.with_name(f"renamed-{path.name}")) for path in two]
    for path in three:
        before = path.stat()
        path.write_bytes(os.urandom(before.st_size))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    new = [path.with_name(f"new-{time.monotonic_ns()}") for path in three]
    for path in new:
        path.write_bytes(os.urandom(2_000))
    sent = [*renamed, *three, *new]
    messages += sent
    return sent


def bare(tree: Path, sent: list[Path], place: Path) -> tuple[float, float, float]:
    """Seconds of one transfer of everything, of one look at the origin's metadata, of one transfer of what changed."""
    everything = place / "everything"
    everything.mkdir()
    first = cost("bash", "-c", f"tar -C {tree} -cf - . | tar -C {everything} -xf -").seconds
    look = cost("find", str(tree), "-printf", "%C@ %i %s %p\\n").seconds
    listed, spare = place / "sent", place / "spare"
    listed.write_text("\n".join(map(str, sent)))
    spare.mkdir(exist_ok=True)
    line = f"tar -cf - -P -T {listed} | tar -xf - --no-same-owner -C {spare} --strip-components=1"
    return first, look, cost("bash", "-c", line).seconds


def measure(number: int, place: Path) -> Iterator[str]:
    sides = Measured(place)
    messages = fill(sides.of("origin"), number)
    variants = {"literal": sides.literal, "fast": sides.fast, "fast, with a journal": sides.fast}
    for name, variant in variants.items():
        sides.new_target()
        # what is as young as this proves nothing
        time.sleep(lists.RACY_SECONDS + 1)
        with sides.journal() if "journal" in name else nullcontext():
            hot = variant("hot")
            again = variant("hot")
            sent = change(messages)
            cold = variant("cold")
        yield (
            f"| {number:,} | {name} | {hot.seconds:.1f} | {again.seconds:.1f} | {cold.seconds:.1f} "
            f"| {max(hot.mib, cold.mib):.0f} | {sides.differences} |"
        )
    first, look, transfer = bare(sides.of("origin"), sent, sides.place)
    yield f"| {number:,} | bare transfer, bare look | {first:.1f} | | {look:.1f} + {transfer:.1f} | | |"
    if shutil.which("fpsync"):
        sides.new_target()
        yield f"| {number:,} | fpsync | {sides.fpsync().seconds:.1f} | | | | {sides.differences} |"


def main() -> None:
    print("| files | | first pass, s | second, s | cold, s | memory, MiB | differences |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    # ext4 looks at each inode that was deleted in the last minutes before it takes another one, so that files
    # are made five times as slowly after many were deleted: all is kept until the end
    with tempfile.TemporaryDirectory() as folder:
        for number in map(int, sys.argv[1:] or ["50000"]):
            for line in measure(number, Path(folder) / str(number)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
