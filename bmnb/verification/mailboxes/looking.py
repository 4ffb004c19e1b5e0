"""Every mailbox over IMAP against the record, while its users work: a JSON line a mailbox.

What a user has deleted or flagged since is told apart from what is missing by the server itself, which counts every change
of a folder (CONDSTORE, QRESYNC: RFC 7162).
"""

import hashlib
import imaplib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from . import protocol

RECORD, LOOKED = "record", "looked"
AT_ONCE = 4
NAMED = 20
"""UIDs that a row names at most."""
SHARED, SHARED_FOLDERS = "shared ", "Shared Folders/"

Told = Dict[str, Any]


def records(folder: str) -> List[List[Told]]:
    """The record, mailbox by mailbox."""
    with open(os.path.join(folder, RECORD)) as file:
        lines = sorted(map(json.loads, file), key=lambda one: (one["mailbox"], one["folder"]))
    return [list(ones) for _, ones in groupby(lines, key=lambda one: str(one["mailbox"]))]


def looked(folder: str) -> Dict[str, Told]:
    """What has been told of mailboxes so far, the last word counts; a line that a break cut is none."""
    found = {}  # type: Dict[str, Told]
    path = os.path.join(folder, LOOKED)
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                if line.endswith("\n"):
                    told = json.loads(line)
                    found[told["mailbox"]] = told
    return found


def look(folder: str, seconds: float) -> None:
    """Look at those mailboxes that have not been found as they were, for so many seconds at most."""
    end = time.monotonic() + seconds
    done = {name for name, told in looked(folder).items() if not told["differences"]}
    at = os.path.getmtime(os.path.join(folder, RECORD))
    waiting = [ones for ones in records(folder) if ones[0]["mailbox"] not in done]

    def work(ones: List[Told]) -> Optional[Told]:
        return mailbox(ones, at) if time.monotonic() < end else None

    with open(os.path.join(folder, LOOKED), "a") as out, ThreadPoolExecutor(AT_ONCE) as pool:
        for told in pool.map(work, waiting):
            if told:
                out.write(json.dumps(told) + "\n")
                out.flush()


def mailbox(ones: List[Told], at: float) -> Told:
    """What there is of one mailbox, whose record was made then."""
    told = {  # type: Told
        "mailbox": ones[0]["mailbox"],
        "at": at,
        "folders": len(ones),
        "messages": 0,
        "read": 0,
        "since": 0,
        "differences": [],
    }
    sessions = {}  # type: Dict[str, imaplib.IMAP4]
    for one in ones:
        account, name, own = way(one)
        try:
            if not account:
                raise LookupError("nobody may read it over IMAP")
            if account not in sessions:
                sessions[account] = protocol.opened(account)
            compare(sessions[account], name, own, one, told)
        except (imaplib.IMAP4.error, OSError, LookupError, ValueError) as error:
            tell(told, one, str(error))
            sessions.pop(account, None)
    for imap in sessions.values():
        imap.logout()
    return told


def way(one: Told) -> Tuple[str, str, bool]:
    """Who looks, under which name, and whether as the owner: into what is shared looks someone who may read it."""
    if not one["mailbox"].startswith(SHARED):
        return one["mailbox"], one["folder"], True
    readers = sorted(who for who, rights in one.get("rights", {}).items() if "r" in rights)
    if protocol.ADMIN in readers:
        return protocol.ADMIN, listed_as(one), False
    people = [who for who in readers if "@" in who and ":" not in who]
    return (people or [""])[0], SHARED_FOLDERS + one["folder"], False


def tell(told: Told, one: Told, what: str, uids: Iterable[int] = ()) -> None:
    listed = sorted(uids)
    row = {"folder": one["folder"], "what": what}
    if listed:
        row["messages"] = len(listed)
        row["uids"] = " ".join(map(str, listed[:NAMED]))
    told["differences"].append(row)


def compare(imap: imaplib.IMAP4, name: str, own: bool, one: Told, told: Told) -> None:
    if "wrong" in one:
        raise LookupError("its record could not be made: {}".format(one["wrong"]))
    shut = protocol.examine(imap, name)
    if shut and deleted(one, told["at"]):
        told["since"] += len(one["messages"])
        return
    if shut:
        raise LookupError("it cannot be opened: {}".format(shut))
    found = protocol.seen(imap)
    if found.validity != one["validity"]:
        tell(told, one, "UIDVALIDITY was {}, is {}".format(one["validity"], found.validity))
    was = {uid: (size, flags) for uid, size, flags in one["messages"]}
    told["messages"] += len(was)
    missing = set(was) - set(found.messages)
    other = {
        uid for uid in set(was) - missing if marks(was[uid][1], own) != marks(found.messages[uid][1], own)
    }
    resized = {uid for uid in set(was) - missing if was[uid][0] != found.messages[uid][0]}
    if missing or other:
        vanished, changed = protocol.since(imap, one["modseq"])
        told["since"] += len(missing & vanished) + len(other & changed)
        missing, other = missing - vanished, other - changed
    for what, uids in (("missing", missing), ("other flags", other), ("another size", resized)):
        if uids:
            tell(told, one, what, uids)
    read(imap, one, set(found.messages), told)


def deleted(one: Told, moment: float) -> bool:
    """Whether somebody has deleted the folder after a moment. Cyrus keeps it for a while, with the time in its name."""
    name, at, domain = listed_as(one).partition("@")
    imap = protocol.administrator()
    kept = protocol.names(imap, "DELETED/{}/%{}{}".format(name, at, domain))
    imap.logout()
    times = [full.partition("@")[0].rpartition("/")[2] for full in kept]
    return any(int(time, 16) >= int(moment) for time in times)


def marks(flags: List[str], own: bool) -> Set[str]:
    """Flags that are the message's. Whether it is new belongs to the session, and seen to each who reads."""
    return {flag.lower() for flag in flags} - {"\\recent"} - (set() if own else {"\\seen"})


def read(imap: imaplib.IMAP4, one: Told, there: Set[int], told: Told) -> None:
    """The sample, whole: its sum is in Cyrus's index."""
    wrong = []
    for uid in [int(text) for text in one["sums"] if int(text) in there]:
        told["read"] += 1
        if hashlib.sha1(protocol.content(imap, uid)).hexdigest() != one["sums"][str(uid)]:
            wrong.append(uid)
    if wrong:
        tell(told, one, "another content", wrong)


def listed_as(one: Told) -> str:
    """The name of a folder as the administrator sees it: user/mailbox/folders@domain."""
    mailbox, at, domain = str(one["mailbox"]).partition("@")
    if mailbox.startswith(SHARED):
        return str(one["folder"]) + at + domain
    below = "" if one["folder"] == "INBOX" else "/" + one["folder"]
    return "user/{}{}{}{}".format(mailbox, below, at, domain)
