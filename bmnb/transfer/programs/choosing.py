"""What is to be sent and deleted, by what the origin's latest look has found against the manifest."""

import operator
import os
import subprocess
import sys
from collections import ChainMap, Counter
from functools import reduce
from typing import Any, Dict, Iterable, Iterator, NamedTuple, Sequence, Set

from .by_tree import COUNTED, ByTree, counted
from .lines import UNPROVEN, Entry, is_real, is_there, parsed, path_of, read, through, tree_of, write
from .lists import Lists
from .moves import moves_of
from .parts import differences

LARGE = 64 << 20
"""Bytes from which on a file is copied by rsync, which goes on where it stopped and sends parts of it."""

ONE_STREAM = 64 << 20
"""Bytes up to which one stream is enough."""

MANY = 500
"""Entries that are gone, up to which nobody asks why, nor whether their folder was moved."""

OVERHEAD = 8 << 10
"""What a file costs beside its bytes, in bytes."""

BYTEWISE = {**os.environ, "LC_ALL": "C"}


class Sent(NamedTuple):
    """Files on the lists of what is sent: their number and bytes, those that rsync copies, load of a stream."""

    files: int
    size: int
    large: int
    large_size: int
    work: int
    trees: ByTree


def together(sent: Iterable[Sent]) -> Sent:
    return Sent(*(reduce(operator.add, column) for column in zip(*sent)))


class Chosen(NamedTuple):
    """What was chosen in a group: how many files there are, and to delete, inodes with several names, to send.

    `gone` and `made` are the paths of folders by inode.
    """

    trees: ByTree
    deleted: int
    linked: Set[bytes]
    sent: Sent
    gone: Dict[bytes, bytes]
    made: Dict[bytes, bytes]


class Choice:
    """Lists of it, by group: send.*, links.*, large.*, folders.* and deleted.*."""

    def __init__(self, lists: Lists) -> None:
        self.lists, self.scope = lists, lists.scope()
        self.listed = "named" if self.scope else "new"

    def make(self, move_first: bool = False) -> Dict[str, Any]:
        """Write the lists of what is to be sent and deleted; return what they hold, and a list of streams.

        With `move_first`, and where many entries are gone, return the moved folders instead, if there are any.
        """
        for kind in ("deleted", "folders", "links", "large", "send"):
            self.lists.clear(kind)
        names = sorted({*self.lists.names(self.listed), *self.lists.names("manifest")})
        known = {name: self.lists.size("manifest", name) for name in names}
        chosen = [self.choose_of(name) for name in names]
        trees, deleted = sum((one.trees for one in chosen), Counter()), sum(one.deleted for one in chosen)
        files = sum(number for (_, what), number in trees.items() if what == "files")
        gone, made = ChainMap(*(one.gone for one in chosen)), ChainMap(*(one.made for one in chosen))
        moves = moves_of(gone, made) if move_first and deleted >= MANY else {}
        if moves:
            # nothing of what was chosen is sent now
            for name, size in known.items():
                os.truncate(self.lists.path("manifest", name), size)
            # whatever becomes of this pass, what may be on the target at the new paths is known
            self.lists.follow(moves, done=False)
            return {"moves": [os.fsdecode(path) for move in moves.items() for path in move]}
        linked = set().union(*(one.linked for one in chosen))
        sent = together([*(one.sent for one in chosen), *(self.choose_names(name, linked) for name in names)])
        trees += sent.trees
        line_bytes = sent.size - sent.large_size
        if not self.lists.live and deleted > max(MANY, files // 3):
            sys.exit(
                f"{deleted} entries are gone since the last hot pass, {files} are left: see "
                "what is missing on the origin; if nothing is, synchronize once more before the stop"
            )
        # files with several names are in one stream
        links = [f"links.{name}" for name in names]
        loads = sorted(((one.sent.work, name) for one, name in zip(chosen, names)), reverse=True)
        files_of = [f"send.{name}" for work, name in loads if work]
        many = line_bytes > ONE_STREAM
        streams = [links, *([one] for one in files_of)] if many else [[*links, *files_of]]
        return {
            "files": files,
            "transferred": sent.files,
            "deleted": deleted,
            "bytes": sum(number for (_, what), number in trees.items() if what == "bytes"),
            "changed bytes": sent.size,
            "line bytes": line_bytes,
            "large": sent.large,
            "streams": streams,
            "groups": names,
            "parts": [
                {"tree": tree, "how": "fast", **{what: trees[os.fsencode(tree), what] for what in COUNTED}}
                for tree in self.lists.trees
            ],
            **({"folders looked at": len(self.scope.folders)} if self.scope else {}),
        }

    def choose_of(self, name: str) -> Chosen:
        """Choose in one group."""
        trees: ByTree = Counter()
        listed = counted(read(self.lists.path(self.listed, name)), self.lists.all_trees, trees)
        manifest = self.lists.manifest(name)
        known = manifest.within(self.scope) if self.scope else read(manifest.path)
        # nothing of a tree that is absent or empty by now is deleted
        inside = tuple(os.fsencode(f"{tree}/") for tree in self.lists.trees)
        folders: Set[bytes] = set()
        linked: Set[bytes] = set()
        folders_gone: Dict[bytes, bytes] = {}
        folders_made: Dict[bytes, bytes] = {}
        number, sent = 0, []
        for gone, new in differences(known, listed, self.lists.folder):
            changed = {entry.path: entry for entry in map(parsed, new)}
            missing = [*map(parsed, gone)]
            before = {(entry.path, entry.kind) for entry in missing}
            deleted = {
                path
                for path, kind in before
                if path.startswith(inside)
                and (
                    changed[path].kind != kind
                    if path in changed
                    else not is_there(path, self.lists.all_trees)
                )
            }
            number += len(deleted)
            trees.update((tree_of(path, self.lists.all_trees), "deleted") for path in deleted)
            folders_gone.update(
                (one.inode, one.path) for one in missing if one.kind == b"d" and one.path in deleted
            )
            self.lists.append("deleted", name, sorted(deleted))
            # a folder whose entries are written or deleted on the target needs its own time again
            touched = {path.rpartition(b"/")[0] for path in (*changed, *deleted) if path.startswith(inside)}
            folders |= {path for path in touched - folders if self.is_folder(path)}
            files = [entry for path, entry in sorted(changed.items()) if entry.kind != b"d"]
            made = [entry for entry in changed.values() if entry.kind == b"d"]
            folders |= {entry.path for entry in made}
            folders_made.update((one.inode, one.path) for one in made if (one.path, b"d") not in before)
            self.lists.append("manifest", name, (UNPROVEN + entry.same for entry in made))
            linked |= {one.inode for one in files if one.names != b"1"}
            sent.append(self.send(name, files))
        if len(sent) > 1:
            self.bring_into_order(name)
        write(self.lists.path("folders", name), map(self.through, sorted(folders)))
        trees += manifest.left
        return Chosen(trees, number, linked, together(sent), folders_gone, folders_made)

    def is_folder(self, path: bytes) -> bool:
        return os.path.isdir(path) and is_real(path, self.lists.all_trees)

    def through(self, folder: bytes) -> bytes:
        return through(folder, self.lists.all_trees)

    def bring_into_order(self, name: str) -> None:
        """Files of a folder one after the other, as they lie on a disk."""
        for kind in ("links", "large", "send"):
            path = self.lists.path(kind, name)
            command = ["sort", "-z", "-S", "8M", "-T", self.lists.folder, "-o", path, path]
            subprocess.run(command, env=BYTEWISE, check=True)

    def choose_names(self, name: str, inodes: Set[bytes]) -> Sent:
        """Add the other names of files that are sent."""
        sent = {path for kind in ("links", "large") for path in read(self.lists.path(kind, name))}
        others = [one for one in self.names_of(name, inodes) if one.path not in sent]
        known = set(read(self.lists.path("folders", name)))
        folders = {self.through(os.path.dirname(one.path)) for one in others}
        self.lists.append("folders", name, folders - known)
        return self.send(name, others)

    def names_of(self, name: str, inodes: Set[bytes]) -> Iterator[Entry]:
        """All names of files with several."""
        if not inodes:
            return
        for line in read(self.lists.path(self.listed, name)):
            _, inode, names, _ = line.split(b" ", 3)
            if names != b"1" and inode in inodes:
                yield parsed(line)
        if self.scope is None:
            return
        # the others are where nothing has changed; a line from before may tell that the file had one name alone
        for line in self.elsewhere(name, inodes):
            if line.split(b" ", 2)[1] in inodes and path_of(line) not in self.scope:
                yield parsed(line)._replace(names=b"2")

    def elsewhere(self, name: str, inodes: Iterable[bytes]) -> Iterator[bytes]:
        """The lines of a manifest that may tell of these inodes."""
        sought, path = b"\n".join(b" %s " % inode for inode in inodes), self.lists.path("manifest", name)
        command = ["grep", "-z", "-a", "-F", "-f", "-", path]
        found = subprocess.run(command, input=sought, env=BYTEWISE, stdout=subprocess.PIPE, check=False)
        # 1: none
        if found.returncode > 1:
            sys.exit(f"grep ended with {found.returncode}")
        return iter(found.stdout.split(b"\0")[:-1])

    def send(self, name: str, files: Sequence[Entry]) -> Sent:
        """Put files onto the lists of what is sent."""
        single = [one for one in files if one.names == b"1" and not by_rsync(one)]
        large = [one for one in files if by_rsync(one)]
        links = [one for one in files if one.names != b"1" and not by_rsync(one)]
        for kind, found in (("large", large), ("links", links), ("send", single)):
            self.lists.append(kind, name, (one.path for one in found))
        # whatever becomes of this pass, what it may have written on the target is known
        self.lists.append("manifest", name, (UNPROVEN + one.same for one in files))
        size, large_size = (sum(int(one.size) for one in some) for some in (files, large))
        work = sum(int(one.size) + OVERHEAD for one in single)
        trees: ByTree = Counter()
        for one in files:
            tree = tree_of(one.path, self.lists.all_trees)
            trees[tree, "transferred"] += 1
            trees[tree, "changed bytes"] += int(one.size)
            trees[tree, "line bytes"] += 0 if by_rsync(one) else int(one.size)
        return Sent(len(files), size, len(large), large_size, work, trees)


def by_rsync(entry: Entry) -> bool:
    """What rsync copies: large files; sockets, which tar leaves out; FIFOs and devices of which it makes several."""
    if entry.kind == b"f":
        return int(entry.size) >= LARGE
    return entry.kind == b"s" or (entry.kind != b"l" and entry.names != b"1")
