"""The mail that the target has accepted since it took the original server's place: the price of going back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from shlex import quote

from bmnb.steps import Result, Row, Verdict
from bmnb.transfer import mailbox

LISTED = 1000
NAMED = "-printf 'file %p\\0'"
MAIL = (
    "-type f -regextype posix-extended "
    "-regex '.*/(domain|user|uuid|cyrus[^/]*)/(.*/)?[0-9]+\\.|.*/by_hash/[0-9a-f]/[0-9a-f]/[0-9a-f]{40}\\.zst'"
)
"""Cyrus's files of messages, and BlueMind 5's bodies by hash: see verification/comparing/mail.py."""


def mark(folder: str) -> str:
    """Remember once when the target began to serve, and by its clock when it had begun to run."""
    served = began(folder)
    return f"umask 077; mkdir -p {folder}; test -f {served} || {{ grep '^btime ' /proc/stat > {served}; sleep 0.1; }}"


def began(folder: str) -> str:
    """The file whose time is that when it began to serve."""
    return f"{folder}/served"


def show(folder: str, trees: Sequence[str]) -> str:
    """A line that prints when the target began to serve, new messages as files, and its queue as JSON.

    Each entry ends with NUL, since a folder of mail may have a line's end in its name.
    """
    return f"""[ -f {folder}/served ] || exit 0
stat --printf 'since %Y\\0' {folder}/served
{_files(folder, trees, NAMED)}
! systemctl is-active --quiet postfix || postqueue -j | sed 's/^/queue /' | tr '\\n' '\\0'"""


def keep(folder: str, trees: Sequence[str]) -> str:
    """A line that keeps the new messages in an archive of the run's folder."""
    return f"""umask 077; [ -f {folder}/served ] || exit 0
{_files(folder, trees, "-print0")} | tar -czPf {archive(folder)} --hard-dereference --null --files-from=-"""


def archive(folder: str) -> str:
    return f"{folder}/accepted-mail.tar.gz"


@cache
def program() -> str:
    """The program that works in mailboxes on a server."""
    return Path(__file__).with_name("mailbox.py").read_text(encoding="utf-8")


def install(folder: str) -> str:
    """A line that puts the program, which comes in as input, into the run's folder."""
    return f"umask 077; mkdir -p {folder}; cat > {folder}/mailbox.py"


def bring_back(folder: str) -> str:
    """A line that appends the messages of the archive, which comes in as input, to the folders they were in."""
    return f"umask 077; python3 {folder}/mailbox.py bring-back {folder}/only-kept"


def show_kept(folder: str) -> str:
    return f"cat {folder}/only-kept"


def only_kept(folder: str, told: Result) -> Verdict:
    """It always holds: it names what could not be brought back."""
    items = tuple(json.loads(line) for line in told.stdout.splitlines())
    if not told.ok:
        return Verdict(False, told.stderr.strip())
    if not items:
        return Verdict(True, "none")
    return Verdict(
        True,
        f"{len(items)} messages are in {archive(folder)} on the target alone: hand them to who misses them",
        items[:LISTED],
    )


def read_counts(result: Result) -> Row:
    row: Row = json.loads(result.stdout)
    return row


def _files(folder: str, trees: Sequence[str], action: str) -> str:
    """A line that finds the messages that came since the target serves."""
    places = " ".join(map(quote, trees))
    found = f'find -H "$tree" {MAIL} -cnewer {folder}/served {action}'
    return f'for tree in {places}; do [ ! -e "$tree" ] || {found}; done'


def price(folder: str, told: Result) -> Verdict:
    """It always holds: it tells what going back costs, message by message."""
    entries = told.stdout.split("\0")[:-1]
    if not told.ok:
        return Verdict(False, told.stderr.strip())
    if not entries:
        return Verdict(True, "no mail: the target has not served")
    since = int(entries[0].split()[1])
    files = [one.removeprefix("file ") for one in entries if one.startswith("file ")]
    queue = [json.loads(one.removeprefix("queue ")) for one in entries if one.startswith("queue ")]
    came = [one for one in queue if one["arrival_time"] >= since]
    alone = [path for path in files if not mailbox.MESSAGE.match(path)]
    items = [{"item": path, "what": mailbox.NOBODY} for path in alone]
    items += [{"item": path, "what": "message"} for path in files if path not in alone]
    items += [{"item": one["queue_id"], "what": f"in the queue, from {one['sender']}"} for one in came]
    seen = f"{len(files)} messages in mailboxes and {len(came)} in the queue were accepted since the switch"
    seen = f"{seen}; they are kept in {archive(folder)} on the target"
    if alone:
        seen = f"{seen}; {len(alone)} are not brought back, being {mailbox.NOBODY}"
    return Verdict(True, seen, tuple(items[:LISTED]))
