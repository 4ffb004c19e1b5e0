"""Comparing the files of both servers, each listing its own; only the list travels, from origin to target."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from shlex import quote
from typing import Any

from bmnb.steps import Result, Row, Verdict
from bmnb.transfer import access
from bmnb.verification.items import LISTED, differing

COUNTED = ("messages", "bytes")
LISTING = Path(__file__).with_name("listing.py")


@cache
def program() -> str:
    """The program that runs on both servers."""
    return LISTING.read_text(encoding="utf-8")


def install(folder: str) -> str:
    """A line that puts the program, which comes in as input, into the run's folder."""
    return f"umask 077; mkdir -p {folder}; cat > {folder}/listing.py"


def mark_first_pass(folder: str) -> str:
    """Remember once when the first pass began: what changed since is compared by content."""
    return f"umask 077; test -f {folder}/first-pass || touch {folder}/first-pass"


def compare(
    folder: str, origin: str, percent: int, places: Sequence[str], kept: Sequence[str], out: str
) -> str:
    """A line for the target that compares the places, and leaves what differs in a folder of the run's.

    In the places `kept` the target may have more than the origin.
    """
    listing = quote(list_there(folder, percent, places, kept))
    return (
        f"umask 077; mkdir -p {folder}/{out} && {access.ssh(folder)} root@{origin} {listing} "
        f"| python3 {folder}/listing.py compare {folder}/{out}"
    )


def list_there(folder: str, percent: int, places: Sequence[str], kept: Sequence[str]) -> str:
    """The line that the origin does for it."""
    chosen = " ".join(quote(place) for place in (*places, *(f"+{place}" for place in kept)))
    since = f"$(stat -c %Y {folder}/first-pass)"
    return f"python3 {folder}/listing.py list {since} {percent} {chosen}"


def read_sums(compared: Result) -> Row:
    sums: Row = json.loads(compared.stdout)
    return sums


def copy_again(folder: str, origin: str, out: str) -> str:
    """A line that copies by content what differed, and deletes what is on the target alone."""
    rsync = "rsync -aHAX --checksum --modify-window=-1 --delete-missing-args --from0"
    return f"{rsync} --files-from={folder}/{out}/again root@{origin}:/ / && rm {folder}/{out}/again"


def has_differed(folder: str, out: str) -> str:
    return f"test -s {folder}/{out}/again"


def show_differences(folder: str, out: str) -> str:
    return f"head -n {LISTED} {folder}/{out}/differences; wc -l < {folder}/{out}/differences"


def nothing_differs(percent: int, told: Result) -> Verdict:
    *lines, number = told.stdout.splitlines()
    items = [json.loads(line) for line in lines]
    rest = (
        "content of every file"
        if percent == 100
        else f"content of what changed since the first pass and of {percent} % of the rest"
    )
    verdict = differing(
        items, f"everything is the same: names, owners, modes, times, attributes, links, {rest}"
    )
    if int(number) <= LISTED:
        return verdict
    return Verdict(
        False,
        f"{int(number):,} differences in all, the first {LISTED:,} of them: {verdict.seen}",
        verdict.items,
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
    return Verdict(
        bool(rows), f"{len(rows):,} mailboxes, {messages:,} messages, {size / 1e6:,.1f} MB, the same", listed
    )


def _mailbox(told: tuple[str, int, int, int, int, int]) -> dict[str, Any]:
    name, folders, messages, size, ours, our_size = told
    same = (messages, size) == (ours, our_size)
    state = "same" if same else f"{ours} messages and {our_size} bytes on the target"
    return {"mailbox": name, "folders": folders, "messages": messages, "bytes": size, "state": state}
