"""The record of every mailbox, made from the origin's store at the stop: one JSON line a folder."""

import json
import os
import re
import sys
from typing import Any, Dict, Iterator, List, Tuple

from .index import read_header, read_index

SETTINGS = ["/etc/imapd.conf", "/etc/cyrus-partitions"]
PARTITION = re.compile(r"^(meta)?partition-(\S+?)\s*:\s*(\S+)", re.MULTILINE)
# [<letter>/]user/<mailbox>/<folders> or [<letter>/]<shared>/<folders>, below domain/<letter>/<domain> but in the default one
DOMAIN = re.compile(r"^domain/(?:./)?([^/]+)/(?=(?:./)?)(.*)$", re.DOTALL)
READ = 3
"""Of each folder so many messages are read whole: the first, the last, and one between."""


def partitions() -> List[str]:
    """Where the indexes lie."""
    found = {}  # type: Dict[str, Dict[str, str]]
    for path in filter(os.path.exists, SETTINGS):
        with open(path) as file:
            for kind, name, place in PARTITION.findall(file.read()):
                found.setdefault(name, {})[kind] = place
    return sorted({places.get("meta", places.get("", "")) for places in found.values()} - {""})


def named(below: str) -> Tuple[str, str]:
    """Mailbox and folder of a path below a partition."""
    match = DOMAIN.match(below)
    domain, rest = match.groups() if match else ("", below)
    parts = rest.split("/")
    if len(parts[0]) == 1 and len(parts) > 1:
        parts = parts[1:]
    return of_parts(parts, domain)


def internal(name: str) -> Tuple[str, str]:
    """Mailbox and folder of Cyrus's own name: domain!user.mailbox.folders."""
    domain, _, rest = name.rpartition("!")
    return of_parts(rest.split("."), domain)


def of_parts(parts: List[str], domain: str) -> Tuple[str, str]:
    """A dot is a ^ there. Of a shared mailbox the first part is its name, and it has no INBOX."""
    parts = [part.replace("^", ".") for part in parts]
    at = "@{}".format(domain) if domain else ""
    if parts[0] == "user" and len(parts) > 1:
        return parts[1] + at, "/".join(parts[2:]) or "INBOX"
    return "shared {}{}".format(parts[0], at), "/".join(parts)


def sample(uids: List[int]) -> List[int]:
    return sorted({uids[number * (len(uids) - 1) // (READ - 1)] for number in range(READ)}) if uids else []


def folder(top: str, place: str) -> Dict[str, Any]:
    """What is recorded of a folder; `wrong` where its files do not tell."""
    try:
        header = read_header(os.path.join(place, "cyrus.header"))
        mailbox, name = internal(header.name) if header.name else named(os.path.relpath(place, top))
    except (ValueError, OSError) as error:
        mailbox, name = named(os.path.relpath(place, top))
        return {"mailbox": mailbox, "folder": name, "wrong": "cyrus.header: {}".format(error)}
    told = {"mailbox": mailbox, "folder": name, "rights": header.rights}  # type: Dict[str, Any]
    try:
        index = read_index(os.path.join(place, "cyrus.index"), header.flags)
    except (ValueError, OSError) as error:
        return {**told, "wrong": "cyrus.index: {}".format(error)}
    read = set(sample([uid for uid, _, _, _ in index.messages]))
    sums = {uid: total for uid, _, _, total in index.messages if uid in read}
    messages = [(uid, size, flags) for uid, size, flags, _ in index.messages]
    return {
        **told,
        "validity": index.validity,
        "modseq": index.modseq,
        "messages": messages,
        "sums": sums,
    }


def folders() -> Iterator[Dict[str, Any]]:
    """Of those that are deleted, and kept for a while, nothing is told: nobody sees them."""
    for top in partitions():
        for place, _, names in os.walk(top):
            if "cyrus.index" in names:
                told = folder(top, place)
                if told["mailbox"].partition("@")[0] != "shared DELETED":
                    yield told


def record() -> None:
    """Raise LookupError where there is no folder at all: such a record could prove nothing."""
    number = 0
    for told in folders():
        number += 1
        sys.stdout.write(json.dumps(told) + "\n")
    if not number:
        raise LookupError("no folder of Cyrus is in {}".format(", ".join(partitions()) or "no partition"))
