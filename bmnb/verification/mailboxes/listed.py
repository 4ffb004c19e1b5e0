"""Which folders of the record Cyrus has in its list of mailboxes, which it keeps in a database of its own."""

import json
import os
import subprocess
from typing import Any, Dict, List, Set

PROGRAM = "ctl_mboxlist"
PLACES = ("/usr/sbin", "/usr/lib/cyrus/bin", "/usr/lib/cyrus-imapd")
DUMP_SECONDS = 600.0


def unknown(records: List[List[Dict[str, Any]]]) -> List[str]:
    known = names(dumped())
    return sorted(name for ones in records for one in ones for name in [own_name(one)] if name not in known)


def dumped() -> str:
    """Cyrus's list. Raise OSError or subprocess's error where it cannot be read."""
    found = [path for path in (os.path.join(place, PROGRAM) for place in PLACES) if os.path.exists(path)]
    if not found:
        raise FileNotFoundError("{} is in none of {}".format(PROGRAM, ", ".join(PLACES)))
    command = ["runuser", "-u", "cyrus", "--", found[0], "-d"]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=DUMP_SECONDS)
    return told.stdout.decode(errors="surrogateescape")


def names(text: str) -> Set[str]:
    """A line each: the name before a tab, or, from 3.4 on, the key of an object of JSON."""
    found = set()
    for line in text.splitlines():
        if line.startswith('"'):
            found.add(str(json.JSONDecoder().raw_decode(line)[0]))
        else:
            found.add(line.partition("\t")[0])
    return found


def own_name(one: Dict[str, Any]) -> str:
    """Cyrus's own name of a folder: domain!user.mailbox.folders, a dot in them as ^."""
    mailbox, _, domain = str(one["mailbox"]).partition("@")
    parts = [] if one["folder"] == "INBOX" else str(one["folder"]).split("/")
    if not mailbox.startswith("shared "):
        parts = ["user", mailbox, *parts]
    name = ".".join(part.replace(".", "^") for part in parts)
    return "{}!{}".format(domain, name) if domain else name
