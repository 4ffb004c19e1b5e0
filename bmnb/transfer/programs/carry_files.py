"""Bring the target's trees to what the origin's are, at the cost of one look at the origin and of what changed.

Runs on both servers as root, on Python 3.7 or newer with nothing installed, beside GNU find, sort and tar:
`carry` on the target, which runs the others on the origin through ssh.

The origin keeps a manifest with a line for every path that the target has. A line is what find told of the
entry on the origin where the target is proven to have just that; any other line proves nothing, and is there
so that the path is deleted when the origin has it no more. An entry whose line is not in the manifest is
sent, whatever became of it: times are compared in nanoseconds, and the time of change (ctime) and the inode
with them, which neither a rewrite within the second nor `touch -r` can put back. All names of a file with
several are sent when one of them is; where a folder was renamed, only the new name tells of it. Where many
entries are gone, folders that were moved are moved on the target first (moves.py), and then looked at as any other.

Proven means: listed on the origin, then written on the target, in this order; the same on both since; and
unchanged for long enough before it was listed, so that any later change gives it another ctime. Where
that was so in an earlier pass and the origin lists the same line again, the proof holds.
"""

import argparse
import fcntl
import grp
import hashlib
import json
import operator
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import zlib
from collections import ChainMap, Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import reduce
from itertools import chain, compress, islice
from threading import Event, Thread
from typing import (
    IO,
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    NoReturn,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from .changes import changed_since, now
from .lines import (
    BLOCK,
    LISTED,
    TOLD,
    UNPROVEN,
    Entry,
    entries,
    named,
    owner,
    parsed,
    path_of,
    read,
    write,
)
from .manifest import Manifest, Scope, index
from .moves import Moves, as_moves, follow, move, moves_of
from .partial_look import PartialLook
from .streams import Number, side_by_side

DEPTH = 3
"""Levels below a tree's root that are listed together; the folders below them are listed in groups."""

END = b"end of the list"

SET_PIPE_SIZE = 1031
"""Linux's F_SETPIPE_SZ, which Python has a name for from 3.10 on."""

SOME = 1 << 14
PARTS = 128
RACY_SECONDS = 5.0
"""An entry that changed so shortly before it was listed may change again without another ctime: clocks of
file systems tick in up to two seconds, and a file server has a clock of its own."""

LARGE = 64 << 20
"""Bytes from which on a file is copied by rsync, which goes on where it stopped and sends parts of it."""

ONE_STREAM = 64 << 20
"""Bytes up to which one stream is enough."""

MANY = 500
OVERHEAD = 8 << 10
"""What a file costs beside its bytes, in bytes."""

CREATE = (
    "tar --create --format=posix --sparse --acls --xattrs --xattrs-include='*' --absolute-names "
    "--no-recursion --null --files-from=-"
)
EXTRACT = (
    "tar --extract --verbose --preserve-permissions --same-owner --acls --xattrs --xattrs-include=* --absolute-names "
    "--delay-directory-restore"
)
GENTLY = ("nice", "-n", "19", "ionice", "-c", "3")
"""For what runs on the origin beside its services."""

# users go on: a message that is gone by now is no news, and would bury what is
GONE = "--ignore-failed-read --warning=no-failed-read --warning=no-file-changed"
SOURCES = {True: f"{' '.join(GENTLY)} {CREATE} {GONE}", False: CREATE}
"""What packs the files of a list on the origin, while its services run and without them."""

EVERYWHERE = "--everywhere"
PARTIAL = "partial"

LOST = 255
"""ssh's exit status where its connection breaks, and this program's where it may just be started again."""
CUT_RSYNC = (10, 12, 30, LOST)

BYTEWISE = {**os.environ, "LC_ALL": "C"}


def whole(stream: IO[bytes]) -> Iterator[bytes]:
    """The entries of a list that ends with END; exit where it was cut."""
    last = None
    for entry in entries(stream):
        if last is not None:
            yield last
        last = entry
    if last != END:
        sys.exit("the target's list was cut")


class Parts:
    """Records on any number of paths in files, by a hash of the path: each part of them fits into memory."""

    def __init__(self, folder: str) -> None:
        self.files = [tempfile.TemporaryFile(dir=folder) for _ in range(PARTS)]  # noqa: SIM115

    def add(self, path: bytes, record: bytes) -> None:
        self.files[zlib.crc32(path) % PARTS].write(record + b"\0")

    def __iter__(self) -> Iterator[Iterator[bytes]]:
        for file in self.files:
            with file:
                file.seek(0)
                yield entries(file)


def differences(
    first: Iterator[bytes], second: Iterator[bytes], folder: str
) -> Iterator[Tuple[Set[bytes], Set[bytes]]]:
    """Read two lists of lines to their end; then yield what only the first has, and what only the second has.

    Both at once where the order is much alike; else, to take little memory, part by part by way of the folder,
    all lines of a path together.
    """
    sides: Tuple[Set[bytes], Set[bytes]] = set(), set()
    apart: List[Parts] = []
    while True:
        one, other = set(islice(first, SOME)), set(islice(second, SOME))
        if not one and not other:
            break
        one |= sides[0]
        other |= sides[1]
        sides = one - other, other - one
        if len(sides[0]) + len(sides[1]) > SOME:
            apart = apart or [Parts(folder), Parts(folder)]
            put_apart(apart, sides)
    if not apart:
        yield sides
        return
    put_apart(apart, sides)
    for one, other in zip(*(map(set, parts) for parts in apart)):
        yield one - other, other - one


def put_apart(apart: Sequence[Parts], sides: Sequence[Set[bytes]]) -> None:
    for parts, lines in zip(apart, sides):
        for line in lines:
            parts.add(path_of(line), line)
        lines.clear()


class Listing:
    """All lines of a server, numbered, in parts by path; and which of its paths are names of one file."""

    def __init__(self, lines: Iterable[bytes], folder: str) -> None:
        self.parts, self.number = Parts(folder), 0
        self.links: Dict[bytes, Tuple[int, int]] = {}
        for line in lines:
            _, inode, names, *_, path = line.split(b" ", 9)
            if names != b"1":
                number, total = self.links.get(inode, (0, 0))
                self.links[inode] = number + 1, total + hash(path)
            self.parts.add(path, b"%d %s" % (self.number, line))
            self.number += 1

    def __iter__(self) -> Iterator[Iterator[Tuple[int, bytes]]]:
        for part in self.parts:
            split = (record.split(b" ", 1) for record in part)
            yield ((int(number), line) for number, line in split)

    def told(self, line: bytes) -> Tuple[int, bytes]:
        """What must be the same on both servers: a sum over the names of the file, and the line's last part."""
        _, inode, _, same = line.split(b" ", 3)
        number, total = self.links.get(inode, (0, 0))
        return total if number > 1 else 0, same


# on the origin


BELOW = [f"below-{number}" for number in range(16)]
GROUPS = ["upper", *BELOW]


def group_below(folder: bytes) -> str:
    return BELOW[zlib.crc32(folder) % len(BELOW)]


class Sent(NamedTuple):
    """Files on the lists of what is sent: their number and bytes, those that rsync copies, load of a stream."""

    files: int
    size: int
    large: int
    large_size: int
    work: int
    trees: "Counter[str]"


def together(sent: Iterable[Sent]) -> Sent:
    return Sent(*(reduce(operator.add, column) for column in zip(*sent)))


class Chosen(NamedTuple):
    """What was chosen in a group: of how many files, how many to delete, inodes with several names, to send.

    `gone` and `made` are the paths of folders by inode.
    """

    files: int
    deleted: int
    linked: Set[bytes]
    sent: Sent
    gone: Dict[bytes, bytes]
    made: Dict[bytes, bytes]


class Lists:
    """The origin's lists, in a folder: new.*, what find tells; manifest.*, what the target has; send.* and others.

    After a look at some folders alone, named.* is what find tells of them, and scope.* which they are.
    """

    def __init__(self, folder: str, jobs: int, trees: Sequence[str], live: bool) -> None:
        self.all_trees = [os.fsencode(tree) for tree in trees]
        # an absent or empty tree is not followed
        self.trees = [tree for tree in trees if os.path.isdir(tree) and os.listdir(tree)]
        self.folder, self.jobs, self.live = folder, jobs, live
        os.makedirs(folder, mode=0o700, exist_ok=True)

    def path(self, *names: str) -> str:
        return os.path.join(self.folder, ".".join(names))

    def names(self, kind: str) -> List[str]:
        """The groups of which there is a list of this kind."""
        parts = (name.partition(".") for name in sorted(os.listdir(self.folder)))
        return [name for first, _, name in parts if first == kind and not name.endswith(".unfinished")]

    def clear(self, kind: str) -> None:
        for name in self.names(kind):
            os.unlink(self.path(kind, name))

    def look(self, everywhere: bool = True) -> float:
        """List all entries, or those of folders that a journal names, if one knows; return the seconds that it took."""
        if not self.trees:
            sys.exit("all trees of the origin are absent or empty")
        began = time.monotonic()
        self.clear("scope")
        base = next(read(self.path("base")), b"").decode()
        changed = None if everywhere or not base else changed_since(self.folder, base)
        if changed is None:
            self.look_everywhere()
        else:
            self.look_into(changed)
        return round(time.monotonic() - began, 2)

    def look_everywhere(self) -> None:
        """Several groups at a time."""
        began, moment = time.time(), now()
        if self.live:
            # a page of a mapped file that is dirty in memory can change once more without another time
            os.sync()
        self.clear("looked")
        with ThreadPoolExecutor(self.jobs) as pool:
            for done in pool.map(self.list_group, self.groups().items()):
                if done.returncode != 0 and not self.live:
                    sys.exit(
                        f"find ended with {done.returncode}: {done.stderr[-1000:].decode(errors='replace')}"
                    )
        self.replace("new", "looked")
        # last: an older time with these lists proves less, not more
        write(self.path("began"), [str(began).encode(), moment.encode()])

    def look_into(self, changed: Iterable[bytes]) -> None:
        look = PartialLook(list(map(self.manifest, GROUPS)), changed, list(map(os.fsencode, self.trees)))
        with self.by_group("named") as named:
            for line in look.lines():
                named[self.group_of(path_of(line))].write(line + b"\0")
        scope = look.scope
        write(self.path("scope", "folders"), scope.folders)
        write(self.path("scope", "whole"), scope.whole)

    def scope(self) -> Optional[Scope]:
        """What the latest look was at; None where it was at everything."""
        if not self.names("scope"):
            return None
        return Scope(read(self.path("scope", "folders")), read(self.path("scope", "whole")))

    def manifest(self, name: str) -> Manifest:
        return Manifest(self.path("manifest", name), self.path("index", name))

    def every(self, kind: str) -> Iterator[bytes]:
        return chain.from_iterable(read(self.path(kind, name)) for name in GROUPS)

    @contextmanager
    def by_group(self, kind: str) -> Iterator[Dict[str, IO[bytes]]]:
        """New lists of a kind, to be written to."""
        with ExitStack() as opened:
            yield {name: opened.enter_context(open(self.path(kind, name), "wb")) for name in GROUPS}

    def replace(self, kind: str, by: str) -> None:
        """Put the lists of one kind in the place of those of another."""
        names = self.names(by)
        for name in names:
            os.rename(self.path(by, name), self.path(kind, name))
        for name in {*self.names(kind)} - {*names}:
            os.unlink(self.path(kind, name))

    def replace_manifest(self, by: str) -> None:
        self.clear("index")
        self.replace("manifest", by)

    def groups(self) -> Dict[str, List[str]]:
        """The find commands that list every entry once, each with its group's name."""
        at_depth = ["-mindepth", str(DEPTH), "-maxdepth", str(DEPTH), "-type", "d", "-print0"]
        found = subprocess.run(["find", *self.trees, *at_depth], stdout=subprocess.PIPE, check=not self.live)
        below: Dict[str, List[str]] = {}
        for folder in found.stdout.split(b"\0")[:-1]:
            below.setdefault(group_below(folder), []).append(os.fsdecode(folder))
        return {
            "upper": ["find", *self.trees, "-maxdepth", str(DEPTH), *LISTED],
            **{name: ["find", *folders, "-mindepth", "1", *LISTED] for name, folders in below.items()},
        }

    def group_of(self, path: bytes) -> str:
        tree = tree_of(path, self.all_trees)
        steps = path[len(tree) :].split(b"/")
        return group_below(tree + b"/".join(steps[: DEPTH + 1])) if len(steps) > DEPTH + 1 else "upper"

    def list_group(self, group: Tuple[str, List[str]]) -> "subprocess.CompletedProcess[bytes]":
        name, command = group
        with open(self.path("looked", name), "wb") as file:
            return subprocess.run(command, stdout=file, stderr=subprocess.PIPE, check=False)

    def trust(self, target: IO[bytes]) -> None:
        """Make the manifest anew, from the latest list, the manifest so far, and what the target has now."""
        there = Listing(whole(target), self.folder)
        here = Listing(self.every("new"), self.folder)
        before = Parts(self.folder)
        for line in self.every("manifest"):
            if not line.startswith(UNPROVEN):
                before.add(path_of(line), line)
        proven = bytearray(here.number)
        with self.by_group("theirs") as theirs:
            for ours, others, lines_before in zip(here, there, before):
                known = set(lines_before)
                left = {there.told(line): line.startswith(b"1 ") for _, line in others}
                for number, line in ours:
                    told = here.told(named(line))
                    # proven by what the target has since it was listed, or by an earlier pass
                    if told in left and (left[told] or line in known):
                        proven[number] = True
                        del left[told]
                for _, same in left:
                    line = UNPROVEN + same
                    theirs[self.group_of(path_of(line))].write(line + b"\0")
        settled = float(next(read(self.path("began")), b"0")) - RACY_SECONDS
        self.clear("trusted")
        numbered = iter(proven)
        for name in GROUPS:
            on_both = (
                line if float(line.split(b" ", 1)[0]) < settled else UNPROVEN + line.split(b" ", 3)[3]
                for line in compress(read(self.path("new", name)), numbered)
            )
            write(self.path("trusted", name), chain(on_both, read(self.path("theirs", name))))
        self.replace_manifest("trusted")
        for name in GROUPS:
            write(self.path("index", name), index(read(self.path("manifest", name))))
        # last: from an earlier moment on a journal names more
        write(self.path("base"), islice(read(self.path("began")), 1, None))

    def follow(self, moves: Moves, done: bool) -> None:
        """Have the manifest tell of what is in moved folders at its new path if that is `done`, else there too."""
        with self.by_group("moved") as moved:
            for name in GROUPS:
                for line in read(self.path("manifest", name)):
                    path = path_of(line)
                    new = follow(moves, path)
                    if new == path or not done:
                        moved[name].write(line + b"\0")
                    if new != path:
                        told = line if done else UNPROVEN + line.split(b" ", 3)[3]
                        moved[self.group_of(new)].write(told[: -len(path)] + new + b"\0")
        self.replace_manifest("moved")

    def choose(self, move_first: bool = False) -> Dict[str, Any]:
        """Write the lists of what is to be sent and deleted; return what they hold, and a list of streams.

        With `move_first`, and where many entries are gone, return the moved folders instead, if there are any.
        """
        for kind in ("deleted", "folders", "links", "large", "send"):
            self.clear(kind)
        scope = self.scope()
        names = sorted({*self.names(listed_as(scope)), *self.names("manifest")})
        chosen = [self.choose_of(name, scope) for name in names]
        files, deleted = sum(one.files for one in chosen), sum(one.deleted for one in chosen)
        gone, made = ChainMap(*(one.gone for one in chosen)), ChainMap(*(one.made for one in chosen))
        moves = moves_of(gone, made) if move_first and deleted >= MANY else {}
        if moves:
            # whatever becomes of this pass, what may be on the target at the new paths is known
            self.follow(moves, done=False)
            return {"moves": [os.fsdecode(path) for move in moves.items() for path in move]}
        linked = set().union(*(one.linked for one in chosen))
        sent = together(
            [*(one.sent for one in chosen), *(self.choose_names(name, linked, scope) for name in names)]
        )
        line_bytes = sent.size - sent.large_size
        if not self.live and deleted > max(MANY, files // 3):
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
            "changed bytes": sent.size,
            "line bytes": line_bytes,
            "large": sent.large,
            "streams": streams,
            "groups": names,
            "trees": sent.trees,
            **({"folders looked at": len(scope.folders)} if scope else {}),
        }

    def choose_of(self, name: str, scope: Optional[Scope]) -> Chosen:
        """Choose in one group."""
        listed = Counted(read(self.path(listed_as(scope), name)))
        manifest = self.manifest(name)
        known = manifest.within(scope) if scope else read(manifest.path)
        # nothing of a tree that is absent or empty by now is deleted
        inside = tuple(os.fsencode(f"{tree}/") for tree in self.trees)
        folders: Set[bytes] = set()
        linked: Set[bytes] = set()
        folders_gone: Dict[bytes, bytes] = {}
        folders_made: Dict[bytes, bytes] = {}
        number, sent = 0, []
        for gone, new in differences(known, listed, self.folder):
            changed = {entry.path: entry for entry in map(parsed, new)}
            missing = [*map(parsed, gone)]
            before = {(entry.path, entry.kind) for entry in missing}
            deleted = {
                path
                for path, kind in before
                if path.startswith(inside)
                and (changed[path].kind != kind if path in changed else not os.path.lexists(path))
            }
            number += len(deleted)
            folders_gone.update(
                (one.inode, one.path) for one in missing if one.kind == b"d" and one.path in deleted
            )
            self.append("deleted", name, sorted(deleted))
            # a folder whose entries are written or deleted on the target needs its own time again
            touched = {path.rpartition(b"/")[0] for path in (*changed, *deleted) if path.startswith(inside)}
            folders |= {path for path in touched - folders if os.path.isdir(path)}
            files = [entry for path, entry in sorted(changed.items()) if entry.kind != b"d"]
            made = [entry for entry in changed.values() if entry.kind == b"d"]
            folders |= {entry.path for entry in made}
            folders_made.update((one.inode, one.path) for one in made if (one.path, b"d") not in before)
            self.append("manifest", name, (UNPROVEN + entry.same for entry in made))
            linked |= {one.inode for one in files if one.names != b"1"}
            sent.append(self.send(name, files))
        if len(sent) > 1:
            self.bring_into_order(name)
        write(self.path("folders", name), sorted(folders))
        return Chosen(
            listed.number + manifest.left, number, linked, together(sent), folders_gone, folders_made
        )

    def bring_into_order(self, name: str) -> None:
        """Files of a folder one after the other, as they lie on a disk."""
        for kind in ("links", "large", "send"):
            path = self.path(kind, name)
            command = ["sort", "-z", "-S", "8M", "-T", self.folder, "-o", path, path]
            subprocess.run(command, env=BYTEWISE, check=True)

    def choose_names(self, name: str, inodes: Set[bytes], scope: Optional[Scope]) -> Sent:
        """Add the other names of files that are sent."""
        sent = {path for kind in ("links", "large") for path in read(self.path(kind, name))}
        others = [one for one in self.names_of(name, inodes, scope) if one.path not in sent]
        known = set(read(self.path("folders", name)))
        self.append("folders", name, {os.path.dirname(one.path) for one in others} - known)
        return self.send(name, others)

    def names_of(self, name: str, inodes: Set[bytes], scope: Optional[Scope]) -> Iterator[Entry]:
        """All names of files with several."""
        if not inodes:
            return
        for line in read(self.path(listed_as(scope), name)):
            _, inode, names, _ = line.split(b" ", 3)
            if names != b"1" and inode in inodes:
                yield parsed(line)
        if scope is None:
            return
        # the others are where nothing has changed; a line from before may tell that the file had one name alone
        for line in self.elsewhere(name, inodes):
            if line.split(b" ", 2)[1] in inodes and path_of(line) not in scope:
                yield parsed(line)._replace(names=b"2")

    def elsewhere(self, name: str, inodes: Iterable[bytes]) -> Iterator[bytes]:
        """The lines of a manifest that may tell of these inodes."""
        sought, path = b"\n".join(b" %s " % inode for inode in inodes), self.path("manifest", name)
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
            self.append(kind, name, (one.path for one in found))
        # whatever becomes of this pass, what it may have written on the target is known
        self.append("manifest", name, (UNPROVEN + one.same for one in files))
        size, large_size = (sum(int(one.size) for one in some) for some in (files, large))
        work = sum(int(one.size) + OVERHEAD for one in single)
        trees = Counter(tree_of(one.path, self.all_trees) for one in files)
        by_name = Counter({os.fsdecode(tree): number for tree, number in trees.items()})
        return Sent(len(files), size, len(large), large_size, work, by_name)

    def append(self, kind: str, name: str, added: Iterable[bytes]) -> None:
        with open(self.path(kind, name), "ab") as file:
            file.writelines(one + b"\0" for one in added)


def tree_of(path: bytes, trees: Sequence[bytes]) -> bytes:
    return next(tree for tree in trees if (path + b"/").startswith(tree + b"/"))


def by_rsync(entry: Entry) -> bool:
    """What rsync copies: large files, and sockets, which tar leaves out."""
    return entry.kind == b"s" or (entry.kind == b"f" and int(entry.size) >= LARGE)


def listed_as(scope: Optional[Scope]) -> str:
    """The kind of the lists that the latest look has made."""
    return "named" if scope else "new"


class Counted(Iterator[bytes]):
    """Counts what goes through."""

    def __init__(self, entries: Iterator[bytes]) -> None:
        self.entries, self.number = entries, 0

    def __next__(self) -> bytes:
        entry = next(self.entries)
        self.number += 1
        return entry


# on both


def facts(path: bytes) -> bytes:
    """What must be the same of a path on both servers, content included."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return b"absent"
    kind = stat.S_IFMT(found.st_mode)
    told = [oct(found.st_mode), owner(pwd.getpwuid, found.st_uid), owner(grp.getgrgid, found.st_gid)]
    if kind == stat.S_IFLNK:
        return repr([*told, os.readlink(path)]).encode()
    if kind == stat.S_IFREG:
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(BLOCK), b""):
                digest.update(block)
        told += [f"{found.st_size} bytes", digest.hexdigest()]
    return repr([*told, found.st_mtime_ns]).encode()


def sums(paths: Sequence[bytes]) -> List[bytes]:
    """The facts of each path, and with the names of one file the first of them that is listed."""
    first: Dict[Tuple[int, int], int] = {}
    inodes = [os.lstat(path) if os.path.lexists(path) else None for path in paths]
    linked = [
        first.setdefault((found.st_dev, found.st_ino), number)
        if found and not stat.S_ISDIR(found.st_mode)
        else number
        for number, found in enumerate(inodes)
    ]
    with ThreadPoolExecutor(2) as pool:
        return [b"%s %d" % pair for pair in zip(pool.map(facts, paths), linked)]


# on the target


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


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


class Carrier:
    """One pass onto the target."""

    def __init__(
        self,
        folder: str,
        jobs: int,
        trees: Sequence[str],
        live: bool,
        ssh: Sequence[str],
        most: int,
        everywhere: bool = False,
    ) -> None:
        self.folder, self.jobs, self.trees, self.live, self.ssh = folder, jobs, trees, live, ssh
        self.most, self.everywhere = most, live or everywhere
        self.mark = os.path.join(folder, "mark")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not os.path.exists(self.mark):
            write(self.mark, [])

    def run(self) -> Dict[str, Any]:
        if self.live:
            # what an earlier pass has brought, wherever it ended
            self.trust()
        say("looks at the origin's trees")
        write(self.mark, [])
        told: Dict[str, Any] = json.loads(
            self.there("scan", [*self.trees, *([EVERYWHERE] if self.everywhere else [])])
        )
        if "moves" in told:
            told.update(json.loads(self.there("choose", given=self.move(told.pop("moves")))))
        streams, groups, large, trees = (told.pop(name) for name in ("streams", "groups", "large", "trees"))
        say(
            f"{told['transferred']} of {told['files']} files to send, {told['changed bytes']} bytes; "
            f"{told['deleted']} to delete"
        )
        self.remember_look("folders looked at" in told)
        folders = [f"folders.{name}" for name in groups]
        sent = [*folders, *(f"large.{name}" for name in groups), *chain.from_iterable(streams)]
        deleted = [f"deleted.{name}" for name in groups]
        if told["deleted"]:
            self.delete(self.fetch(deleted))
        with Progress(trees, told["changed bytes"]) as progress:
            if large:
                self.rsync([f"large.{name}" for name in groups], progress)
            told["streams"] = 1
            if len(streams) == 1:
                self.tar([*folders, *streams[0]], progress)
            else:
                # before, so that all are there, and after, so that they have their own times
                self.tar(folders, progress)
                number = Number(self.jobs, self.most)
                side_by_side(lambda names: self.tar(names, progress), streams, number, progress.come_so_far)
                told["streams"] = number.now
                self.tar(folders, progress)
        if self.live:
            self.trust()
        else:
            say("compares what was sent")
            self.prove([*sent, *deleted])
        return told

    def remember_look(self, partial: bool) -> None:
        """A file tells that what is brought now relies on a journal."""
        path = os.path.join(self.folder, PARTIAL)
        if partial:
            write(path, [])
        elif os.path.exists(path):
            os.unlink(path)

    def move(self, told: Sequence[str]) -> Iterator[bytes]:
        """Move folders as the origin did; the moves that could be made, as they were told: old and new paths in turn."""
        moves = as_moves(map(os.fsencode, told))
        done = move(moves)
        say(f"{len(done)} of {len(moves)} folders moved that were moved on the origin")
        return chain.from_iterable(done.items())

    def trust(self) -> None:
        say("compares the lists of both servers")
        self.there("trust", given=self.listed())

    def there(self, command: str, names: Sequence[str] = (), given: Iterable[bytes] = ()) -> bytes:
        """Run a part of this program on the origin, with entries as its input."""
        words = [*(GENTLY if self.live else ()), "python3", "-m", f"{__package__}.carry_files", command]
        words += [self.folder, str(self.jobs)]
        words += ["hot" if self.live else "cold", *(names or self.trees)]
        package = os.path.dirname(os.path.abspath(__file__))
        line = f"cd {shlex.quote(os.path.dirname(package))} && {' '.join(map(shlex.quote, words))}"
        remote = [*self.ssh, line]
        with subprocess.Popen(remote, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
            assert running.stdin
            # where it ends early its status tells
            with suppress(BrokenPipeError):
                running.stdin.writelines(one + b"\0" for one in given)
            told, _ = running.communicate()
        subprocess.CompletedProcess(remote, running.returncode).check_returncode()
        return told

    def listed(self) -> Iterator[bytes]:
        """List this server: with 1 before what was written since the mark was made, else 0."""
        trees = [tree for tree in self.trees if os.path.isdir(tree)]
        if trees:
            new = ["(", "-cnewer", self.mark, "-printf", "1 ", "-o", "-printf", "0 ", ")"]
            with subprocess.Popen(["find", *trees, *new, *TOLD], stdout=subprocess.PIPE) as find:
                assert find.stdout
                yield from map(named, entries(find.stdout))
            if find.returncode != 0:
                sys.exit(f"find ended with {find.returncode}")
        yield END

    def cat(self, names: Sequence[str]) -> str:
        return "cat " + " ".join(shlex.quote(os.path.join(self.folder, name)) for name in names)

    def fetch(self, names: Sequence[str]) -> List[bytes]:
        done = subprocess.run([*self.ssh, self.cat(names)], stdout=subprocess.PIPE, check=True)
        return done.stdout.split(b"\0")[:-1]

    def delete(self, paths: Iterable[bytes]) -> None:
        for path in paths:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            elif os.path.lexists(path):
                os.unlink(path)

    def rsync(self, names: Sequence[str], progress: Progress) -> None:
        """Large files: what the target has of them is used, also after a break."""
        options = "-aHAX --ignore-times --modify-window=-1 --partial-dir=.bmnb-partial --timeout=600 --from0"
        *shell, login = self.ssh
        listed = os.path.join(self.folder, "large")
        write(listed, self.fetch(names))
        told = [f"--files-from={listed}", "--out-format=/%n"]
        command = ["rsync", *options.split(), "-e", " ".join(map(shlex.quote, shell)), *told]
        with subprocess.Popen([*command, f"{login}:/", "/"], stdout=subprocess.PIPE) as done:
            progress.follow(done)
        # 23, 24: files vanished meanwhile
        if done.returncode not in ((0, 23, 24) if self.live else (0,)):
            give_up(f"rsync of large files ended with {done.returncode}", done.returncode in CUT_RSYNC)

    def tar(self, names: Sequence[str], progress: Progress) -> None:
        source = f"set -o pipefail; {self.cat(names)} | {SOURCES[self.live]}"
        pipe = subprocess.PIPE
        sender = subprocess.Popen([*self.ssh, source], stdout=pipe)
        with sender, subprocess.Popen(shlex.split(EXTRACT), stdin=sender.stdout, stdout=pipe) as put:
            progress.follow(put)
        # 1: a file changed while it was read
        if put.returncode != 0 or sender.returncode not in ((0, 1) if self.live else (0,)):
            told = f"tar ended with {sender.returncode} on the origin, {put.returncode} on the target"
            give_up(told, lost(sender.returncode))

    def prove(self, names: Sequence[str]) -> None:
        """All that was sent or deleted is the same on both servers, as read again on both."""
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.there, "sums", names)
            paths = self.fetch(names)
            here = sums(paths)
            there = answer.result().split(b"\0")[:-1]
        differing = [path for path, one, other in zip(paths, here, there) if one != other]
        if len(here) != len(there) or differing:
            shown = b", ".join(differing[:5]).decode(errors="backslashreplace")
            sys.exit(f"{len(differing)} of {len(paths)} that were sent differ on the target: {shown}")


def lost(status: int) -> bool:
    """Whether an ssh that ended so has lost its connection, or was killed."""
    return status == LOST or status < 0


def give_up(told: str, again: bool) -> NoReturn:
    """Exit; `again` where this program may just be started again."""
    print(told, file=sys.stderr)
    sys.exit(LOST if again else 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=["carry", "scan", "choose", "trust", "sums"])
    parser.add_argument("folder", help="where this run's lists are, on both servers")
    parser.add_argument("jobs", type=int, help="listings at a time, and streams to begin with")
    parser.add_argument("services", choices=["hot", "cold"], help="whether the origin's services run")
    parser.add_argument("names", nargs="+", help="trees; for sums: lists")
    parser.add_argument(EVERYWHERE, action="store_true", help="look at everything, whatever a journal names")
    parser.add_argument("--most", type=int, default=1, help="streams at a time, where more bring more")
    parser.add_argument("--ssh", nargs=argparse.REMAINDER, help="the command that runs a line on the origin")
    given = parser.parse_args()
    live = given.services == "hot"
    if given.command == "carry":
        try:
            most, everywhere = given.most, given.everywhere
            told = Carrier(given.folder, given.jobs, given.names, live, given.ssh, most, everywhere).run()
        except subprocess.CalledProcessError as error:
            give_up(f"{error.cmd[-1]} ended with {error.returncode} on the origin", lost(error.returncode))
        print(json.dumps(told))
    elif given.command == "sums":
        paths = chain.from_iterable(read(os.path.join(given.folder, name)) for name in given.names)
        sys.stdout.buffer.write(b"".join(one + b"\0" for one in sums(list(paths))))
    else:
        lists = Lists(given.folder, given.jobs, given.names, live)
        if given.command == "trust":
            lists.trust(sys.stdin.buffer)
        elif given.command == "choose":
            lists.follow(as_moves(entries(sys.stdin.buffer)), done=True)
            print(json.dumps(lists.choose()))
        else:
            seconds = lists.look(given.everywhere)
            print(json.dumps({**lists.choose(move_first=True), "listing seconds": seconds}))


if __name__ == "__main__":
    main()
