"""Comparing the files of both servers, each listing its own; only the list travels, from origin to target."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from bmnb.steps import Result, Row, Verdict
from bmnb.transfer import access
from bmnb.transfer.files import PRESENT, states
from bmnb.verification.comparing import late
from bmnb.verification.items import LISTED, NAMED, differing

COUNTED = ("messages", "bytes")
PROGRAMS = Path(__file__).with_name("comparing")
NOT_BY_MAILBOX = "all, "
"""Begins the rows of messages whose path doesn't tell whose they are: see comparing/mail.py."""
GENTLY = "nice -n 19 ionice -c 3 "
LOOK = "bring what the disks tell of every name into memory"
TREES = "trees"
"""The folder for what a comparison of the trees finds."""


def mark_first_pass(folder: str) -> str:
    """Remember once when the first pass began: what changed since is compared by content."""
    return f"umask 077; test -f {folder}/first-pass || touch {folder}/first-pass"


def compare_ahead(folder: str, origin: str, percent: int, places: Sequence[str]) -> str:
    """A line for the target that compares while the origin is in use, and remembers what is the same."""
    return _compare("ahead", folder, origin, list_ahead(folder, percent, places), places, TREES)


def compare(
    folder: str, origin: str, percent: int, places: Sequence[str], kept: Sequence[str], out: str
) -> str:
    """A line for the target that compares the places, and leaves what differs in a folder of the run's.

    In the places `kept` the target may have more than the origin. What was the same ahead and has changed
    on neither server since counts as compared.
    """
    listing = list_there(folder, percent, places, kept)
    return _compare("list", folder, origin, listing, _all(places, kept), out)


def _compare(how: str, folder: str, origin: str, listing: str, places: Sequence[str], out: str) -> str:
    here = f"python3 -m {PROGRAMS.name}"
    there = f"{access.ssh(folder)} root@{origin} {quote(listing)}"
    unchanged = f"{here} unchanged {out} {_words(places)}"
    return f"umask 077; cd {folder} && mkdir -p {out} && {unchanged} | {there} | {here} compare {how} {out}"


def followed(place: str) -> str:
    """The place, among those that may hold more, with all its links looked through."""
    return f"+{place}"


def list_ahead(folder: str, percent: int, places: Sequence[str]) -> str:
    """The line that the origin does for it beside its services."""
    return _list("ahead", folder, percent, places, GENTLY)


def list_there(folder: str, percent: int, places: Sequence[str], kept: Sequence[str]) -> str:
    """The line that the origin does for it."""
    return _list("list", folder, percent, _all(places, kept))


def _list(how: str, folder: str, percent: int, places: Sequence[str], gently: str = "") -> str:
    words = f"$(stat -c %Y first-pass) {percent} {_words(places)}"
    return f"cd {folder} && {gently}python3 -m {PROGRAMS.name} {how} {words}"


def _all(places: Sequence[str], kept: Sequence[str]) -> Sequence[str]:
    return (*places, *(f"+{place}" for place in kept))


def _words(places: Sequence[str]) -> str:
    return " ".join(map(quote, places))


def read_sums(compared: Result) -> Row:
    sums: Row = json.loads(compared.stdout)
    return sums


# The receiver refuses paths that go through a link (rsync 3.5, and what distributions mended), or puts a folder in its
# place: only the tree that it is given may be one.
def copy_again(folder: str, origin: str, trees: Sequence[str], out: str) -> str:
    """A line that copies by content what differed, tree by tree, and deletes what is on the target alone.

    What a path was in may be no folder any more, of which rsync says 23; the next comparison tells what differs then.
    """
    rsync = "rsync -aHAX --sparse --force --checksum --modify-window=-1 --delete-missing-args --from0 --files-from=within"
    return f"""cd {folder}/{out} || exit
for tree in {_words(trees)}; do
  LC_ALL=C sed -nz "s#^$tree\\$#.#p; s#^$tree/##p" again > within
  [ ! -s within ] || {rsync} "root@{origin}:$tree/" "$tree/" || [ $? = 23 ] || exit
done
{settle(folder, out)}"""


def settle(folder: str, out: str) -> str:
    """A line that says that what differed was copied again."""
    return f"rm {folder}/{out}/again"


def has_differed(folder: str, out: str) -> str:
    return f"test -s {folder}/{out}/again"


def was_copied_again(folder: str, out: str) -> str:
    return f"test ! -e {folder}/{out}/again"


def look_at_names(trees: Sequence[str]) -> str:
    """A line that reads what its disks tell of every name, gently, so that a look in the downtime finds it in memory.

    It prints how many there are. What vanishes meanwhile does not matter.
    """
    there = f'there=(); for tree in {_words(trees)}; do [ ! -d "$tree" ] || there+=("$tree/"); done'
    find = f"{GENTLY}find \"${{there[@]}}\" -printf '%C@\\n' 2> /dev/null"
    return f"{there}; [ ${{#there[@]}} -gt 0 ] || {{ echo 0; exit; }}; {find} | wc -l"


def read_names(looked: Result) -> Row:
    return {"entries": int(looked.stdout)}


def show_differences(folder: str, out: str) -> str:
    """Print the sums of a comparison, then what differs."""
    return f"cd {folder}/{out} && cat sums && echo && head -n {LISTED} differences"


def no_tree_differs(percent: int, told: Result, counted: Result) -> Verdict:
    """Nothing differs, and of each tree that has something on the origin something was compared.

    `counted` is how the trees of the origin are.
    """
    verdict = nothing_differs(percent, told)
    if not counted.ok:
        return Verdict(False, counted.stderr.strip())
    if not verdict.holds:
        return verdict
    seen = json.loads(told.stdout.splitlines()[0])["places"]
    # a tree itself counts as one
    unseen = [tree for tree, state in states(counted).items() if state == PRESENT and seen.get(tree, 0) < 2]
    return (
        Verdict(False, f"has files, of which none was compared: {', '.join(unseen)}") if unseen else verdict
    )


def nothing_differs(percent: int, told: Result) -> Verdict:
    rest = (
        "content of every file"
        if percent == 100
        else f"content of what changed since the first pass and of {percent} % of the rest"
    )
    same = f"everything is the same: names, owners, modes, times, attributes, links, {rest}"

    def said(sums: Row) -> str:
        if not sums["read before"]:
            return same
        return (
            f"{same}; {sums['read before']:,} files were read before the downtime and have not changed since"
        )

    return _differing(told, said)


def same_content(told: Result) -> Verdict:
    return _differing(
        told, lambda sums: f"{sums['same content']:,} files have the same content on both servers"
    )


def _differing(told: Result, same: Callable[[Row], str]) -> Verdict:
    if not (told.ok and told.stdout):
        return Verdict(False, told.stderr.strip() or "nothing was told of the comparison")
    sums, *items = map(json.loads, told.stdout.splitlines())
    verdict = differing(items, same(sums))
    if sums["differences"] <= LISTED:
        return verdict
    seen = f"{sums['differences']:,} differences in all, the first {LISTED:,} of them: {verdict.seen}"
    return Verdict(False, seen, verdict.items)


LATE = "late"
"""The folder for what the late proof finds."""


def known_ahead(folder: str, places: Sequence[str], kept: Sequence[str]) -> str:
    """A line for the target that prints what was the same ahead, and has not changed there since."""
    return f"cd {folder} && {GENTLY}python3 -m {PROGRAMS.name} unchanged {TREES} {_words(_all(places, kept))}"


def list_late(folder: str, percent: int, places: Sequence[str], kept: Sequence[str]) -> str:
    """A line for the origin that lists, gently, all but what the other line has printed."""
    return f"{_list('list', folder, percent, _all(places, kept), GENTLY)} < {folder}/{LATE}-known"


def compare_late(folder: str, served: str) -> str:
    """A line for the target that compares that list, which comes in, and sorts what differs."""
    here = f"{GENTLY}python3 -m {PROGRAMS.name}"
    return f"umask 077; cd {folder} && mkdir -p {LATE} && {here} compare list {LATE} && {here} late {LATE} {served}"


def to_bring(folder: str) -> str:
    """A line for the target that prints the paths that are to be brought, each with a NUL."""
    return f"cat {folder}/{LATE}/bring"


def is_to_bring(folder: str) -> str:
    return f"test -s {folder}/{LATE}/bring"


def pack_late(folder: str) -> str:
    """A line for the origin that packs the paths that came from there."""
    return (
        f"{GENTLY}tar -c --format=posix --sparse --xattrs --xattrs-include='*' --acls --no-recursion --ignore-failed-read "
        f"--null --files-from={folder}/{LATE}-bring"
    )


def bring_late(folder: str, served: str) -> str:
    """A line for the target that puts what comes in where nobody has touched anything since the start."""
    staging = f"{folder}/{LATE}/staging"
    return f"""umask 077; rm -rf {staging} && mkdir {staging} && cd {folder} || exit
{GENTLY}tar -xp --xattrs --xattrs-include='*' --acls -C {staging} && python3 -m {PROGRAMS.name} place {LATE} {served} {staging} || exit
rm -rf {staging}"""


def was_brought(folder: str) -> str:
    return f"test -s {folder}/{LATE}/brought"


def show_late(folder: str) -> str:
    """Print what was compared, what was found, and what was brought."""
    return (
        f"cd {folder}/{LATE} && cat sums && echo && head -n {LISTED} found && "
        f"{{ [ ! -e brought ] || head -n {LISTED} brought; }}"
    )


def proven_whole(percent: int, told: Result, counted: Result) -> Verdict:
    """Nothing is left of what could be compared. What users have changed since is counted, and never told to be the same."""
    if not (told.ok and counted.ok and told.stdout):
        return Verdict.unmade(
            told.stderr.strip() or counted.stderr.strip() or "nothing was told of the comparison"
        )
    sums, found, *items = map(json.loads, told.stdout.splitlines())
    unseen = [
        tree
        for tree, state in states(counted).items()
        if state == PRESENT and sums["places"].get(tree, 0) < 2
    ]
    if unseen:
        return Verdict(False, f"has files, of which none was compared: {', '.join(unseen)}")
    wrong = [one for one in items if one["why"] in (*late.OPEN, late.BRING) and "what" in one]
    left = sum(found[word] for word in (*late.OPEN, late.BRING))
    brought = sum("what" not in one for one in items)
    changed = (
        f"{found[late.CHANGED]:,} cannot be compared, since they were changed on the target since its start"
    )
    came = f"{found[late.CAME]:,} came since"
    counts = f"{sums['entries']:,} entries of the origin were looked for; {brought:,} were brought; {changed}; {came}"
    if left:
        named = "; ".join(f"{one['item']}: {one['why']}" for one in wrong[:NAMED])
        return Verdict(False, f"{left:,} differ: {named}; {counts}", tuple(wrong))
    return Verdict(
        True, f"all the others are the same, content of {percent} %: {counts}", tuple(items[:LISTED])
    )


def show_mail(folder: str, out: str) -> str:
    return f"cat {folder}/{out}/mailboxes"


def same_mail(told: Result) -> Verdict:
    """A row a mailbox: folders, messages and bytes on both servers; those that differ come first."""
    rows = [_mailbox(json.loads(line)) for line in told.stdout.splitlines()]
    wrong = [row for row in rows if row["state"] != "same"]
    messages, size = (sum(row[one] for row in rows) for one in COUNTED)
    listed = tuple(sorted(rows, key=lambda row: row["state"] == "same")[:LISTED])
    if wrong:
        named = "; ".join(f"{row['mailbox']}: {row['state']}" for row in wrong[:5])
        return Verdict(False, f"{len(wrong)} of {len(rows)} mailboxes differ: {named}", listed)
    apart = [row for row in rows if row["mailbox"].startswith(NOT_BY_MAILBOX)]
    number = len(rows) - len(apart)
    seen = f"{number:,} mailboxes, {messages:,} messages, {size / 1e6:,.0f} MB, the same"
    if apart:
        seen += f"; {sum(row['messages'] for row in apart):,} of them are not told by mailbox"
    return Verdict(bool(rows), seen, listed)


def _mailbox(told: tuple[str, int, int, int, int, int]) -> dict[str, Any]:
    name, folders, messages, size, ours, our_size = told
    same = (messages, size) == (ours, our_size)
    state = "same" if same else f"{ours} messages and {our_size} bytes on the target"
    return {"mailbox": name, "folders": folders, "messages": messages, "bytes": size, "state": state}
