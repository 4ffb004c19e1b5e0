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
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from typing import Any, Dict, Iterable, Iterator, List, NoReturn, Sequence

from .choosing import Choice
from .facts import content, sums
from .lines import END, FIND, TOLD, entries, is_there, named, read, tree_of, write
from .lists import Lists
from .moves import as_moves, move
from .progress import Progress
from .streams import Number, side_by_side

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

IN_THE_WAY = re.compile(
    rb"Exiting with failure status due to previous errors$|"
    rb": (File exists|Is a directory|Not a directory|Directory not empty|No such file or directory|"
    rb"Too many levels of symbolic links)$"
)
"""How lines of tar end where a folder became something else, or the reverse, since it was listed."""

EVERYWHERE = "--everywhere"
PARTIAL = "partial"

LOST = 255
"""ssh's exit status where its connection breaks, and this program's where it may just be started again."""
CUT_ARCHIVE = b"Unexpected EOF in archive"
CUT_RSYNC = (10, 12, 30, LOST)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


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
        self.by_bytes = [os.fsencode(tree) for tree in trees]
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
        streams, groups, large = (told.pop(name) for name in ("streams", "groups", "large"))
        trees = {one["tree"]: one["transferred"] for one in told["parts"] if one["transferred"]}
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
            others = self.prove(sent, deleted)
            if others:
                told["other facts differ"] = others
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
        done = move(moves, self.by_bytes)
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
            with subprocess.Popen([*FIND, *trees, *new, *TOLD], stdout=subprocess.PIPE) as find:
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
            if not is_there(path, self.by_bytes):
                continue
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)

    def rsync(self, names: Sequence[str], progress: Progress) -> None:
        """Large files, tree by tree."""
        by_tree: Dict[bytes, List[bytes]] = {}
        for path in self.fetch(names):
            tree = tree_of(path, self.by_bytes)
            by_tree.setdefault(tree, []).append(path[len(tree) + 1 :])
        for tree, paths in by_tree.items():
            self.rsync_within(os.fsdecode(tree), paths, progress)

    def rsync_within(self, tree: str, paths: Sequence[bytes], progress: Progress) -> None:
        """What the target has of them is used, also after a break. The tree may be a link on either server."""
        options = "-aHAX --sparse --ignore-times --modify-window=-1 --partial-dir=.bmnb-partial --timeout=600 --from0"
        *shell, login = self.ssh
        listed = os.path.join(self.folder, "large")
        write(listed, paths)
        told = [f"--files-from={listed}", f"--out-format={tree}/%n"]
        command = ["rsync", *options.split(), "-e", " ".join(map(shlex.quote, shell)), *told]
        with subprocess.Popen([*command, f"{login}:{tree}/", f"{tree}/"], stdout=subprocess.PIPE) as done:
            progress.follow(done)
        # 23, 24: files vanished meanwhile
        if done.returncode not in ((0, 23, 24) if self.live else (0,)):
            give_up(f"rsync of large files ended with {done.returncode}", done.returncode in CUT_RSYNC)

    def tar(self, names: Sequence[str], progress: Progress) -> None:
        source = f"set -o pipefail; {self.cat(names)} | {SOURCES[self.live]}"
        pipe = subprocess.PIPE
        sender = subprocess.Popen([*self.ssh, source], stdout=pipe)
        with sender, tempfile.TemporaryFile(dir=self.folder) as errors:
            extract = shlex.split(EXTRACT)
            with subprocess.Popen(extract, stdin=sender.stdout, stdout=pipe, stderr=errors) as put:
                progress.follow(put)
            errors.seek(0)
            said = errors.read()
        sys.stderr.buffer.write(said)
        # what could not be written is not proven, so the next pass brings it
        written = put.returncode == 0 or (self.live and put.returncode == 2 and in_the_way(said))
        # 1: a file changed while it was read
        if not written or sender.returncode not in ((0, 1) if self.live else (0,)):
            told = f"tar ended with {sender.returncode} on the origin, {put.returncode} on the target"
            # what tar has told of its end may be here before the last of what it sent, which a lost connection cuts
            give_up(told, lost(sender.returncode) or (sender.returncode == 0 and CUT_ARCHIVE in said))

    def prove(self, sent: Sequence[str], deleted: Sequence[str]) -> int:
        """All that was sent has the same content on both servers, as read again on both; nothing deleted is left.

        Return in how many other facts differ, which the comparison names that looks at those of every path.
        """
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.there, "sums", sent)
            paths = self.fetch(sent)
            here = sums(paths)
            there = answer.result().split(b"\0")[:-1]
        pairs = list(zip(paths, here, there))
        differing = [path for path, one, other in pairs if content(one) != content(other)]
        # what became something else is among these
        again = {*paths}
        differing += [
            path for path in self.fetch(deleted) if path not in again and is_there(path, self.by_bytes)
        ]
        if len(here) != len(there) or differing:
            shown = b", ".join(differing[:5]).decode(errors="backslashreplace")
            sys.exit(
                f"{len(differing)} of {len(paths)} that were sent or deleted differ on the target: {shown}"
            )
        return sum(one != other for _, one, other in pairs)


def in_the_way(said: bytes) -> bool:
    """Whether all that tar said is that something else stands at the place of what it has."""
    lines = said.splitlines()
    return bool(lines) and all(map(IN_THE_WAY.search, lines))


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
            print(json.dumps(Choice(lists).make()))
        else:
            seconds = lists.look(given.everywhere)
            print(json.dumps({**Choice(lists).make(move_first=True), "listing seconds": seconds}))


if __name__ == "__main__":
    main()
