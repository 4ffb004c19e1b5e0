"""Both servers of a copy of files as mount namespaces of this machine, with no network between them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

from bmnb.transfer.programs import carry_files

JOBS = "2"
SEEN = ("tree", "lists")
"""What each server has under the same path."""


class Sides:
    """An origin and a target below a folder; each sees its own tree and lists at the same path."""

    tree_is = "tree"

    def __init__(self, place: Path) -> None:
        self.place, self.seen = place, place / "seen"
        self.programs = place / "programs"
        shutil.copytree(Path(carry_files.__file__).parent, self.programs)
        for side in ("origin", "target", "seen"):
            for part in SEEN:
                (place / side / part).mkdir(parents=True)

    def of(self, side: str) -> Path:
        return self.place / side / self.tree_is

    def on(self, side: str) -> list[str]:
        """The words that run a line on a server."""
        mounts = [f"mount --bind {self.place}/{side}/{part} {self.seen}/{part}" for part in SEEN]
        return ["unshare", "--mount", "bash", "-c", " && ".join([*mounts, 'exec bash -c "$0"'])]

    def carrying(self, services: str) -> list[str]:
        """The words of a pass of the fast engine, `hot` or `cold`."""
        words = ["python3", "-m", "programs.carry_files", "carry", f"{self.seen}/lists", JOBS, services]
        words += [f"{self.seen}/{self.tree_is}", "--most", JOBS, "--ssh", *self.on("origin")]
        return [*self.on("target"), f"cd {self.place} && {shlex.join(words)}"]

    def watching(self) -> list[str]:
        """The words of the origin's journal of changes, which runs until it is ended."""
        words = [
            "python3",
            "-m",
            "programs.change_journal",
            "watch",
            f"{self.seen}/lists",
            f"{self.seen}/{self.tree_is}",
        ]
        return [*self.on("origin"), f"cd {self.place} && exec {shlex.join(words)}"]

    def differing(self) -> str:
        """What an rsync that reads all content would still change."""
        trees = [f"{self.of(side)}/" for side in ("origin", "target")]
        command = ["rsync", "-aHAXin", "--checksum", "--modify-window=-1", "--delete", *trees]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
