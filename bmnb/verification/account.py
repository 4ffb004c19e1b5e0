"""An account that is tried after the switch: a message to it, and its folders by IMAP."""

from __future__ import annotations

import json
import re
from shlex import quote

from bmnb.steps import Result, Verdict

ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9][A-Za-z0-9.-]*")


def attempt(folder: str, account: str) -> str:
    return f"python3 {folder}/mailbox.py try {quote(account)}"


def works(tried: Result) -> Verdict:
    """A row a folder, with the number of its messages; -1 where it cannot be opened."""
    if not tried.ok:
        said = (tried.stderr.strip() or tried.stdout.strip()).splitlines()
        return Verdict(False, said[-1] if said else f"exit status {tried.exit}")
    told = json.loads(tried.stdout)
    folders = told["folders"]
    items = tuple({"folder": name, "messages": number} for name, number in folders)
    shut = [name for name, number in folders if number < 0]
    messages = sum(number for _, number in folders if number > 0)
    seen = f"{len(folders)} folders, {messages:,} messages by IMAP; a message to it arrived in {told['seconds']} s"
    return Verdict(not shut, f"cannot be opened: {', '.join(shut)}" if shut else seen, items)
