"""Every mailbox over IMAP after the switch, against a record of the origin's store at the stop; and Cyrus's own databases."""

from __future__ import annotations

import json
import re
from pathlib import Path
from shlex import quote

from bmnb.steps import Result, Row, Verdict
from bmnb.transfer import access

PROGRAMS = Path(__file__).with_name("mailboxes")
LOOK_SECONDS = 3600
"""What is left then is looked at by the next run of the cell."""

CYRUS = "command -v ctl_cyrusdb /usr/lib/cyrus/bin/ctl_cyrusdb /usr/lib/cyrus-imapd/ctl_cyrusdb | head -n 1 | grep ."
"""A line that prints where Cyrus's programs are, as BlueMind, Debian and RedHat have them; 1 where there is none."""
NO_CYRUS = "no Cyrus keeps the mail here"

_PACKAGES = "bm-cyrus cyrus-imapd"
VERSION = f"""program=$({CYRUS}) || exit 0
{{ "$(dirname "$program")/cyr_info" version || dpkg-query -W -f 'cyrus-imapd ${{Version}}\\n' {_PACKAGES} ||
rpm -q --qf 'cyrus-imapd %{{VERSION}}\\n' {_PACKAGES}; }} 2> /dev/null | sed -n 's/^cyrus-imapd *//p' | head -n 1 | grep ."""
"""A line that prints the version of Cyrus, nothing where there is none; 1 where it does not tell."""


def there(folder: str) -> str:
    """The line that the origin does: print the record."""
    return f"cd {folder} && python3 -B -m {PROGRAMS.name} record"


def record(folder: str, origin: str) -> str:
    """A line for the target that keeps the record of the origin's mailboxes, and forgets what an older one has led to."""
    place = f"{folder}/mailboxes-at-the-stop"
    asked = f"{access.ssh(folder)} root@{origin} {quote(there(folder))} < /dev/null"
    return f"umask 077; mkdir -p {place} && rm -f {place}/looked && {asked} > {place}/record.new && mv {place}/record.new {place}/record"


def upgrade(folder: str) -> str:
    """A line that brings Cyrus's databases to the form of the Cyrus that is here; where they have it, it changes nothing.

    Cyrus does so at each start, where cyrus.conf says so: a file that comes from the origin may not.
    """
    return f"""program=$({CYRUS}) || exit
install -d -o cyrus -g mail /run/cyrus /run/cyrus/proc /run/cyrus/lock
runuser -u cyrus -- "$program" -r"""


def unknown(folder: str) -> str:
    return f"cd {folder} && python3 -B -m {PROGRAMS.name} unknown mailboxes-at-the-stop"


def look(folder: str) -> str:
    """A line that looks beside the users' work."""
    return f"umask 077; cd {folder} && nice -n 10 python3 -B -m {PROGRAMS.name} look mailboxes-at-the-stop {LOOK_SECONDS}"


def show(folder: str) -> str:
    return f"cd {folder} && python3 -B -m {PROGRAMS.name} show mailboxes-at-the-stop"


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def can_read(origin: Result, target: Result) -> Verdict:
    """Whether the target's Cyrus is one that can read what the origin's has written: it is as new, or newer."""
    theirs, ours = (one.stdout.strip() for one in (origin, target))
    if not origin.ok or not target.ok:
        return Verdict.unmade((origin.stderr + target.stderr).strip() or "no answer")
    if not theirs and not ours:
        return Verdict(True, "none")
    seen = f"{theirs or 'none'} and {ours or 'none'}"
    if not (theirs and ours) or numbers(ours) < numbers(theirs):
        return Verdict(False, seen)
    same = numbers(ours) == numbers(theirs)
    return Verdict(True, seen if same else f"{seen}: its databases are upgraded before it serves")


def all_known(told: Result) -> Verdict:
    """An item a folder that is not in Cyrus's list of mailboxes, or the list itself where it cannot be read.

    Whoever accepts that goes on without it: after the switch every folder is opened over IMAP.
    """
    if not told.ok:
        return Verdict.unmade((told.stderr.strip().splitlines() or ["no answer"])[-1])
    found = json.loads(told.stdout)
    number = found["folders"]
    if "unread" in found:
        item: Row = {"item": "Cyrus's list of mailboxes", "what": found["unread"]}
        seen = f"{number:,} folders are recorded; the list cannot be read: {found['unread']}"
        return Verdict(False, seen, (item,), final=found["final"])
    items = tuple({"item": name, "what": "not listed by Cyrus"} for name in found["unknown"])
    return Verdict(not items, f"{number - len(items):,} of {number:,} folders are listed", items[:1000])


def as_they_were(told: Result) -> Verdict:
    """An item a folder of a mailbox in which something is missing or other; what users have done since is none."""
    if not told.ok:
        return Verdict.unmade((told.stderr.strip().splitlines() or ["no answer"])[-1])
    found = json.loads(told.stdout)
    mailboxes, left = found["mailboxes"], found["left"]
    items: list[Row] = [
        {"item": one["mailbox"], **difference} for one in mailboxes for difference in one["differences"]
    ]
    items += [{"item": name, "what": "not looked at yet"} for name in left]
    if not mailboxes and not left:
        return Verdict.unmade("the record names no mailbox")
    counted = {name: sum(one[name] for one in mailboxes) for name in ("folders", "messages", "read", "since")}
    wrong = sum(bool(one["differences"]) for one in mailboxes)
    seen = (
        f"{len(mailboxes):,} of {len(mailboxes) + len(left):,} mailboxes looked at over IMAP: "
        f"{counted['folders']:,} folders, {counted['messages']:,} messages, {counted['read']:,} read whole, "
        f"{counted['since']:,} changed by users since; {wrong:,} with differences"
    )
    row: Row = {"mailboxes": len(mailboxes), **counted}
    return Verdict(not items, seen, tuple(items), row)
