"""The origin's lists, and the manifest among them: looking at the trees, and what the target is proven to have."""

import os
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain, compress, islice
from typing import IO, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from .changes import changed_since, now
from .lines import FIND, LISTED, UNPROVEN, named, path_of, read, tree_of, whole, write
from .manifest import Manifest, Scope, index
from .moves import Moves, follow
from .partial_look import PartialLook
from .parts import Listing, Parts

DEPTH = 3
"""Levels below a tree's root that are listed together; the folders below them are listed in groups."""

RACY_SECONDS = 5.0
"""An entry that changed so shortly before it was listed may change again without another ctime: clocks of
file systems tick in up to two seconds, and a file server has a clock of its own."""

BELOW = [f"below-{number}" for number in range(16)]
GROUPS = ["upper", *BELOW]


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

    def every(self, kind: str) -> Iterator[bytes]:
        return chain.from_iterable(read(self.path(kind, name)) for name in GROUPS)

    @contextmanager
    def by_group(self, kind: str) -> Iterator[Dict[str, IO[bytes]]]:
        """New lists of a kind, to be written to."""
        with ExitStack() as opened:
            yield {name: opened.enter_context(open(self.path(kind, name), "wb")) for name in GROUPS}

    def size(self, *names: str) -> int:
        """Of a list in bytes, 0 where there is none."""
        path = self.path(*names)
        return os.path.getsize(path) if os.path.exists(path) else 0

    def append(self, kind: str, name: str, added: Iterable[bytes]) -> None:
        with open(self.path(kind, name), "ab") as file:
            file.writelines(one + b"\0" for one in added)

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

    def manifest(self, name: str) -> Manifest:
        return Manifest(self.path("manifest", name), self.path("index", name), self.all_trees)

    def scope(self) -> Optional[Scope]:
        """What the latest look was at; None where it was at everything."""
        if not self.names("scope"):
            return None
        return Scope(read(self.path("scope", "folders")), read(self.path("scope", "whole")))

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

    def groups(self) -> Dict[str, List[str]]:
        """The find commands that list every entry once, each with its group's name."""
        at_depth = ["-mindepth", str(DEPTH), "-maxdepth", str(DEPTH), "-type", "d", "-print0"]
        found = subprocess.run([*FIND, *self.trees, *at_depth], stdout=subprocess.PIPE, check=not self.live)
        below: Dict[str, List[str]] = {}
        for folder in found.stdout.split(b"\0")[:-1]:
            below.setdefault(group_below(folder), []).append(os.fsdecode(folder))
        return {
            "upper": [*FIND, *self.trees, "-maxdepth", str(DEPTH), *LISTED],
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


def group_below(folder: bytes) -> str:
    return BELOW[zlib.crc32(folder) % len(BELOW)]
