"""Whether origin and target are what they are taken for: the one in use, the other with nearly nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bmnb.bluemind import contents
from bmnb.bluemind.contents import Contents, clock
from bmnb.steps import Check, Result, Row, Verdict
from bmnb.transfer import guards

FEW_MAILBOXES, FEW_MESSAGES = 10, 100
"""What is nearly nothing: the accounts and groups of the setup wizard and of a first look, and their mail."""

LATER = timedelta(days=1)
"""By so much later a delivery on the target is one that the origin should have had: nobody has mail for it any more."""

REMEDY = (
    "if they are swapped, exchange origin and target. If they are not: a target that others use is not to be replaced; "
    "one with nothing but the data of an earlier rehearsal is set up anew, or taken back to its snapshot"
)


def check(origin: str, target: str, databases: Sequence[str]) -> Check:
    return Check(
        (origin, target),
        contents.line(databases),
        judge,
        "what is on either server",
        REMEDY,
        decision="accept-target-data",
    )


def judge(origin: Result, target: Result) -> Verdict:
    """What may be accepted is judged by what would be lost, which on a target that nobody uses stays as it is."""
    theirs, ours = contents.read(origin), contents.read(target)
    wrong, refused = _wrong(theirs, ours)
    seen = "; ".join([*([wrong] if wrong else []), f"origin {theirs.told}", f"target {ours.told}"])
    would_go = "" if refused else f"{ours.mailboxes} {ours.messages} {ours.last_delivery}"
    return Verdict(not wrong, seen, tuple(side_by_side(theirs, ours)), accepting=would_go)


def _wrong(theirs: Contents, ours: Contents) -> tuple[str, bool]:
    """What is not as it must be, and whether that cannot be accepted."""
    if not _few(ours):
        if _few(theirs) or _later(ours, theirs, LATER):
            return SWAPPED, True
        if ours.messages > theirs.messages and _later(ours, theirs):
            return SWAPPED, True
        return "the target has data of its own", False
    if _few(theirs) and ours.messages >= theirs.messages:
        return "the origin has nothing to move", False
    if _later(ours, theirs, LATER):
        return "the target has had mail later than the origin", False
    return "", False


SWAPPED = "are origin and target swapped? The target is in use, and the origin is not"


def _few(one: Contents) -> bool:
    return one.mailboxes <= FEW_MAILBOXES and one.messages <= FEW_MESSAGES


def _later(one: Contents, other: Contents, by: timedelta = timedelta(0)) -> bool:
    """Whether the last mail came later to the one."""
    if one.last_delivery is None:
        return False
    return other.last_delivery is None or one.last_delivery - other.last_delivery > by


def side_by_side(theirs: Contents, ours: Contents) -> Iterator[Row]:
    rows = {
        "mailboxes": [f"{one.mailboxes:,}" for one in (theirs, ours)],
        "messages": [f"{one.messages:,}" for one in (theirs, ours)],
        "last delivery": [clock(one.last_delivery, "none") for one in (theirs, ours)],
        "last login": [clock(one.last_login) for one in (theirs, ours)],
        "databases": [theirs.stored, ours.stored],
        "name": [theirs.name, ours.name],
        "address": [theirs.address, ours.address],
        "up since": [clock(one.up_since) for one in (theirs, ours)],
    }
    for item, (origin, target) in rows.items():
        yield {"item": item, "origin": origin, "target": target}


def what_goes(databases: Sequence[str], trees: Sequence[str]) -> str:
    """A line that tells of the target what a confirmation erases."""
    return f"{contents.line(databases)} || exit\n{guards.sizes(trees)}"


def erased(trees: Sequence[str], told: Result) -> str:
    """The same in words, in one line."""
    there = contents.read(told)
    words = [row.rsplit(" ", 1) for row in told.stdout.splitlines()]
    entries = sum(int(row[1]) for row in words if row[0] in trees)
    return f"what is erased on {there.told}; databases {there.stored}; {entries:,} entries in the trees"
