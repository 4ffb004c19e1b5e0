"""A group's manifest by folders: an index tells where in it the lines of each folder are, so that few are read."""

from collections import Counter
from typing import Iterable, Iterator, List, NamedTuple, Sequence, Set, Tuple

from .by_tree import ByTree
from .lines import UNPROVEN, entries, path_of, read, size_of, tree_of
from .moves import upwards

Folder = Tuple[bytes, bytes]
"""Its path and inode."""


class Scope:
    """The entries of some folders, those folders themselves, and all that is below others, the `whole` ones."""

    def __init__(self, folders: Iterable[bytes], whole: Iterable[bytes] = ()) -> None:
        self.folders, self.whole = {*folders}, {*whole}

    def __contains__(self, path: bytes) -> bool:
        return path in self.folders or self.has_entries(parent(path))

    def has_entries(self, folder: bytes) -> bool:
        return folder in self.folders or any(one in self.whole for one in upwards(folder))


class Run(NamedTuple):
    """Lines that follow each other: a folder's own line, or some of its entries but for folders in it.

    `size` is that of the lines, `content` that of the files that they tell of.
    """

    own: bool
    proven: bool
    inode: bytes
    size: int
    lines: int
    content: int
    folder: bytes

    def is_in(self, scope: Scope) -> bool:
        return self.folder in scope if self.own else scope.has_entries(self.folder)

    def told(self) -> bytes:
        return b"%d %d %b %d %d %d %b" % self


def index(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The runs of a manifest, as `Manifest` reads them."""
    last = None
    for line in lines:
        proven, folders = not line.startswith(UNPROVEN), folder_in(line)
        for path, inode in folders:
            if last:
                yield last.told()
            last = Run(True, proven, inode, len(line) + 1, 1, 0, path)
        if folders:
            continue
        folder = parent(path_of(line))
        if last and not last.own and last.folder == folder:
            size, number, content = last.size + len(line) + 1, last.lines + 1, last.content + size_of(line)
            last = last._replace(size=size, lines=number, content=content, proven=last.proven and proven)
        else:
            if last:
                yield last.told()
            last = Run(False, proven, b"0", len(line) + 1, 1, size_of(line), folder)
    if last:
        yield last.told()


def indexed(told: bytes) -> Run:
    own, proven, inode, size, lines, content, folder = told.split(b" ", 6)
    return Run(own == b"1", proven == b"1", inode, int(size), int(lines), int(content), folder)


class Manifest:
    """What was added since the index was made is read line by line."""

    def __init__(self, path: str, index_path: str, trees: Sequence[bytes]) -> None:
        self.path, self.trees = path, trees
        self.runs = [indexed(told) for told in read(index_path)]
        self.left: ByTree = Counter()
        """Files and bytes that the latest scope has left."""

    def added(self) -> Iterator[bytes]:
        with open(self.path, "rb") as file:
            file.seek(sum(run.size for run in self.runs))
            yield from entries(file)

    def unproven(self) -> Set[bytes]:
        """The folders of lines that prove nothing."""
        runs = (run for run in self.runs if not run.proven)
        added = (path_of(line) for line in self.added() if line.startswith(UNPROVEN))
        return {parent(run.folder) if run.own else run.folder for run in runs} | {*map(parent, added)}

    def folders(self) -> Set[Folder]:
        added = (folder for line in self.added() for folder in folder_in(line))
        return {(run.folder, run.inode) for run in self.runs if run.own}.union(added)

    def within(self, scope: Scope) -> Iterator[bytes]:
        self.left, at = Counter(), 0
        with open(self.path, "rb") as file:
            for run in self.runs:
                if run.is_in(scope):
                    file.seek(at)
                    yield from file.read(run.size).split(b"\0")[:-1]
                else:
                    self.leave(run.folder, run.lines, run.content)
                at += run.size
        for line in self.added():
            if path_of(line) in scope:
                yield line
            else:
                self.leave(path_of(line), 1, size_of(line))

    def leave(self, path: bytes, files: int, size: int) -> None:
        tree = tree_of(path, self.trees)
        self.left[tree, "files"] += files
        self.left[tree, "bytes"] += size


def folder_in(line: bytes) -> List[Folder]:
    """The folder that a line tells of, if it is one."""
    if b" 1 d - " not in line:
        return []
    _, inode, _, kind, _ = line.split(b" ", 4)
    return [(path_of(line), inode)] if kind == b"d" else []


def parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]
