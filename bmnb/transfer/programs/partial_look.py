"""A look at those folders alone in which something may have changed; for the rest the manifest stands.

These are folders that a journal of changes names, folders of lines in the manifest that prove nothing, the trees
themselves, and all that is below a folder that was not there before.
"""

import os
import subprocess
import sys
from typing import Iterable, Iterator, Sequence, Set

from .lines import FIND, LISTED, entries, is_real, path_of
from .manifest import Folder, Manifest, Scope, folder_in

AT_ONCE = 400
"""Folders of one find, whose paths have room among a program's arguments."""


class PartialLook:
    """Its lines, each once; after the last of them, its scope."""

    def __init__(
        self, manifests: Sequence[Manifest], changed: Iterable[bytes], trees: Sequence[bytes]
    ) -> None:
        self.before: Set[Folder] = set().union(*(one.folders() for one in manifests))
        self.now: Set[Folder] = set()
        inside = tuple(tree + b"/" for tree in trees)
        named = {*changed}.union(*(one.unproven() for one in manifests))
        self.named = {path for path in named if path.startswith(inside)}.union(trees)
        self.trees = trees

    @property
    def new(self) -> Set[bytes]:
        return {path for path, _ in self.now - self.before}

    @property
    def scope(self) -> Scope:
        stayed = {path for path, _ in self.now & self.before}
        missing = {path for path, _ in self.before - self.now} - stayed
        looked_for = Scope(self.named)
        return Scope(self.named, {path for path in missing if path in looked_for} | self.new)

    def lines(self) -> Iterator[bytes]:
        there = Scope(path for path in self.named if os.path.isdir(path) and is_real(path, self.trees))
        for line in find(sorted(there.folders), "-maxdepth", "1"):
            folder = folder_in(line)
            # find tells of a folder that is named among those in its own folder too, where that is named
            if not folder or not self.now.issuperset(folder):
                self.now.update(folder)
                yield line
        new = Scope((), self.new)
        for line in find([path for path in sorted(new.whole) if path not in new], "-mindepth", "1"):
            if path_of(line) not in there:
                yield line


def find(folders: Sequence[bytes], *options: str) -> Iterator[bytes]:
    """The lines of their entries; exit where one could not be read."""
    for at in range(0, len(folders), AT_ONCE):
        some = map(os.fsdecode, folders[at : at + AT_ONCE])
        with subprocess.Popen([*FIND, *some, *options, *LISTED], stdout=subprocess.PIPE) as found:
            assert found.stdout
            yield from entries(found.stdout)
        if found.returncode != 0:
            sys.exit(f"find ended with {found.returncode}")
