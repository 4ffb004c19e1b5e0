"""Synchronizing the trees with rsync, as the document does it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from shlex import quote

from bmnb.bluemind.paths import QUEUES, TREES
from bmnb.steps import Result, Row, Verdict

VANISHED = 24  # rsync: files vanished while it read them; normal while the origin's services run

BROKEN_OFF = (2, 10, 12, 19, 23, 30, 255)
"""rsync: incompatible or broken protocol, its other half gone, partial transfer, timeout; ssh: connection lost.
Seen on a live spool: rsync 3.5.0 as the receiver of 3.2.3 ended with 2 or 10, "Invalid packet at end of run", after
files had vanished."""

OPTIONS = (
    "-aHAX --sparse --delete --modify-window=-1 --no-inc-recursive --timeout=600 --stats --info=progress2"
)
"""-v names every file, millions on a mail spool: --stats tells their number, progress2 how far it has come.
--modify-window=-1 compares nanoseconds: whole seconds miss a rewrite of the same size within the second.
-A -X keep access lists and extended attributes.
--no-inc-recursive: with incremental recursion -H copies a linked file again before it meets its other
name, and on a live spool both ends were seen to wait for each other for ever.
--timeout, in seconds, ends a copy whose line is dead."""


def synchronize(origin: str, tree: str) -> str:
    return f"rsync {OPTIONS} root@{origin}:{tree}/ {tree}/"


def synchronize_all(origin: str, trees: tuple[str, ...], ssh: str) -> str:
    """Synchronize one tree after the other; end with the highest status, after the first that is not accepted.

    Last it prints what rsync has told of each tree: of a long output only the end is kept. It is in a file by then,
    which is that of the unit.
    """
    each = " && ".join(f"follow {quote(tree)} {quote(has_something(tree))}" for tree in trees)
    return f"""exec 3>&1; worst=0; told=
follow() {{
  {ssh} root@{origin} "$2" || return 0
  began=$(date +%s%N)
  rsync {OPTIONS} "root@{origin}:$1/" "$1/"; status=$?
  took=$((($(date +%s%N) - began) / 1000000))
  [ ! -f /dev/fd/3 ] || told+=$(printf '\\n%s\\n' "{TREE} $took $1"; tail -c {STATS_BYTES} /dev/fd/3)
  [ $status -le $worst ] || worst=$status; [ $status -eq 0 ] || [ $status -eq {VANISHED} ]
}}
{each}; printf '\\n%s%s\\n' "{TOLD}" "$told"; exit $worst"""


TOLD = "What rsync has told of each tree:"
TREE = "tree, milliseconds:"
STATS_BYTES = 1500
"""rsync's --stats have some hundred."""


def synchronize_queue(origin: str) -> str:
    """Carry Postfix's queues; Postfix gives the files the names of their new inodes when it starts."""
    chosen = " ".join(f"--include='/{queue}/***'" for queue in QUEUES)
    return f"rsync -aH --stats {chosen} --exclude='*' root@{origin}:{SPOOL} {SPOOL}"


SPOOL = "/var/spool/postfix/"


def read_there(trees: tuple[str, ...]) -> Iterator[str]:
    """The paths that rsync reads on the origin: `/` where it is given a list of files."""
    yield from (f"{tree}/" for tree in trees)
    yield from (SPOOL, "/")


def put_queue_aside(folder: str) -> str:
    """Take all mail out of this server's queues and keep it: the other server has it, or it is in the price."""
    return f"""set -eu; umask 077; cd /var/spool/postfix
for queue in {" ".join(QUEUES)}; do
  mkdir -p {folder}/queue/"$queue"; find "$queue" -type f -exec mv -t {folder}/queue/"$queue" -- {{}} +
done"""


NUMBER = re.compile(r"^(?P<name>[A-Z][A-Za-z ]+): (?P<value>[\d,.]+)", re.MULTILINE)


def read_stats(result: Result) -> Row:
    """Given rsync's --stats, return its row: numbers of files, bytes, bytes per second."""
    found = {name: _number(value) for name, value in NUMBER.findall(result.stdout)}
    sent = found.get("Total bytes received", 0) + found.get("Total bytes sent", 0)
    return {
        "files": found.get("Number of files", 0),
        "created": found.get("Number of created files", 0),
        "deleted": found.get("Number of deleted files", 0),
        "transferred": found.get("Number of regular files transferred", 0),
        "bytes": found.get("Total file size", 0),
        "changed bytes": found.get("Total transferred file size", 0),
        "line bytes": sent,
        "bytes/s": _rate(sent, result.seconds),
    }


def read_all(result: Result) -> Row:
    """Given what rsync told of each tree, the row of all."""
    rows = [
        {name: value for name, value in row.items() if name not in ("tree", "how", "seconds")}
        for row in read_trees(result)
    ]
    sums = {name: sum(row[name] for row in rows) for name in (rows[0] if rows else ())}
    return {**sums, "bytes/s": _rate(sums.get("line bytes", 0), result.seconds)} if sums else {}


def read_trees(result: Result) -> list[Row]:
    """The row of each tree."""
    told = result.stdout.rpartition(f"\n{TOLD}\n")[2] if TOLD in result.stdout else ""
    return [_tree(result, part) for part in told.split(f"{TREE} ")[1:]]


def _tree(result: Result, told: str) -> Row:
    first, _, stats = told.partition("\n")
    took, tree = first.split(" ", 1)
    seconds = int(took) / 1000
    return {**read_tree(tree, replace(result, stdout=stats, seconds=seconds)), "seconds": seconds}


def read_tree(tree: str, result: Result) -> Row:
    """Given rsync's --stats, the row of its tree."""
    return {"tree": tree, "how": "rsync", **read_stats(result)}


def _rate(moved: int, seconds: float) -> int:
    return round(moved / seconds) if seconds else 0


def _number(text: str) -> int:
    # rsync groups thousands with the locale's sign; the run's locale is C.UTF-8
    return int(re.sub(r"[,.]", "", text))


PRESENT, UNMOUNTED, DANGLING = "present", "unmounted", "dangling"
NOT_THERE = (UNMOUNTED, DANGLING)
"""States of a tree whose files are somewhere, and not to be seen by now."""


def count(trees: tuple[str, ...]) -> str:
    """A line that prints, for each tree: its path, absent | empty | unmounted | dangling | present.

    Unmounted: what fstab or a unit mounts at, in or above the place of the tree is not mounted. A link may lead there.
    """
    return f"""unmounted=$({{ sed 's/#.*//' /etc/fstab | awk '{{print $2}}'; systemctl show -p Where '*.mount' | sed -n 's/^Where=//p'; }} |
  grep '^/.' | sort -u | while read -r place; do mountpoint -q "$place" || echo "$place"; done)
for tree in {" ".join(map(quote, trees))}; do
  missing=$(awk -v at="$(readlink -m "$tree")/" 'NF {{sub("/*$", "/"); if (index($0, at) == 1 || index(at, $0) == 1) print}}' <<< "$unmounted")
  if [ -n "$missing" ]; then echo "$tree {UNMOUNTED}"
  elif [ -L "$tree" ] && [ ! -d "$tree" ]; then echo "$tree {DANGLING}"
  elif [ ! -d "$tree" ]; then echo "$tree absent"
  elif [ -z "$(find "$tree/" -mindepth 1 -print -quit)" ]; then echo "$tree empty"
  else echo "$tree {PRESENT}"; fi
done"""


def has_something(tree: str) -> str:
    """A line that ends with 1 where the tree is absent or empty: rsync --delete would follow it."""
    return f'test -n "$(find {quote(tree + "/")} -mindepth 1 -print -quit 2> /dev/null)"'


def states(counted: Result) -> dict[str, str]:
    return dict(line.rsplit(" ", 1) for line in counted.stdout.splitlines())


def all_there(known_empty: tuple[str, ...], origin: Result, target: Result) -> Verdict:
    """What came to a tree of the target that is not mounted would be hidden by what is mounted there later."""
    theirs = safe_to_follow(known_empty, origin)
    wrong = [
        f"{tree} is {state} on the target" for tree, state in states(target).items() if state in NOT_THERE
    ]
    if not target.ok:
        wrong.append(target.stderr.strip())
    if not wrong:
        return theirs
    return Verdict(False, "; ".join([*([] if theirs.holds else [theirs.seen]), *wrong]))


def safe_to_follow(known_empty: tuple[str, ...], counted: Result) -> Verdict:
    """No tree of the origin may be unmounted, or empty but for those known to be: --delete would follow it."""
    found = states(counted)
    wrong = [
        f"{tree} is {state}"
        for tree, state in found.items()
        if state in NOT_THERE or (state == "empty" and tree in TREES and tree not in known_empty)
    ]
    present = sum(state == PRESENT for state in found.values())
    if not present:
        return Verdict(False, "; ".join(["the origin has none of the trees", *wrong]))
    return Verdict(not wrong, "; ".join(wrong) or f"{present} trees present")
