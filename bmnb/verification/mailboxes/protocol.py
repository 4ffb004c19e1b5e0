"""A session with Cyrus as any user, and what it says of a folder."""

import imaplib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Dict, List, NamedTuple, Set, Tuple

HOST, PORTS = "127.0.0.1", (1143, 143)
"""BlueMind's Cyrus listens at the first of them; its nginx, or Cyrus itself, at the other."""
API = "http://{}:8090/api/auth/_su?login=".format(HOST)
TOKEN = "/etc/bm/bm-core.tok"
ADMIN = "admin0"
PATIENCE = 120
FETCHED = re.compile(rb"UID (\d+)")
FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
NAME = re.compile(rb'\(.*?\) (?:"[^"]*"|NIL) (.*)', re.DOTALL)


Seen = NamedTuple("Seen", [("validity", int), ("messages", Dict[int, Tuple[int, List[str]]])])
"""Of a folder as it is: UIDVALIDITY, and size and flags by UID."""


def token() -> str:
    with open(TOKEN) as file:
        return file.read().strip()


def connected() -> imaplib.IMAP4:
    for port in PORTS:
        try:
            return imaplib.IMAP4(HOST, port)
        except ConnectionRefusedError:
            pass
    raise ConnectionRefusedError("nothing listens at {}".format(" or ".join(map(str, PORTS))))


def administrator() -> imaplib.IMAP4:
    imap = connected()
    imap.login(ADMIN, token())
    return imap


def opened(account: str) -> imaplib.IMAP4:
    """A session as this user: by one of the core's own, else as the administrator who acts for the user.

    The core gives none for users that are archived.
    """
    imap = administrator() if account == ADMIN else acting(account)
    imap.capability()
    imap.enable("QRESYNC")
    return imap


def acting(account: str) -> imaplib.IMAP4:
    imap = connected()
    try:
        imap.login(account, session(account))
    except (LookupError, OSError, imap.error):
        imap = connected()
        imap.authenticate("PLAIN", lambda _: "\0".join([account, ADMIN, token()]).encode())
    return imap


def session(account: str) -> str:
    """The key of a session as this user. Raise LookupError where the core gives none."""
    headers = {"X-BM-ApiKey": token(), "Content-Type": "application/json"}
    asked = urllib.request.Request(API + urllib.parse.quote(account), b"", headers, method="POST")
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        told = json.loads(answer.read().decode())
    if told["status"] != "Ok":
        raise LookupError(account)
    return str(told["authKey"])


def quoted(name: str) -> str:
    return '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"'))


def names(imap: imaplib.IMAP4, pattern: str = "*") -> Set[str]:
    """The names that the user sees; one with odd letters comes as a literal, in two parts."""
    found = set()
    for line in imap.list('""', quoted(pattern))[1]:
        if isinstance(line, tuple):
            found.add(line[1].decode(errors="surrogateescape"))
        elif line:
            match = NAME.match(line)
            if match:
                name = match.group(1).decode(errors="surrogateescape")
                found.add(re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name)
    return found


def examine(imap: imaplib.IMAP4, name: str) -> str:
    """Open a folder for reading; what the server says where it cannot be."""
    done, told = imap.select(quoted(name), readonly=True)
    return "" if done == "OK" else (told[0] or b"").decode(errors="replace")


def seen(imap: imaplib.IMAP4) -> Seen:
    """The folder that is open. Raise imaplib's error where it cannot be listed."""
    (validity,) = imap.response("UIDVALIDITY")[1]
    done, told = imap.uid("FETCH", "1:*", "(UID FLAGS RFC822.SIZE)")
    if done != "OK":
        raise imap.error("FETCH: {!r}".format(told))
    return Seen(int(validity), dict(map(fetched, filter(None, told))))


def fetched(line: bytes) -> Tuple[int, Tuple[int, List[str]]]:
    uid, size, flags = (pattern.search(line) for pattern in (FETCHED, SIZE, FLAGS))
    if not (uid and size and flags):
        raise ValueError("FETCH: {!r}".format(line[:200]))
    return int(uid.group(1)), (int(size.group(1)), flags.group(1).decode(errors="replace").split())


def since(imap: imaplib.IMAP4, modseq: int) -> Tuple[Set[int], Set[int]]:
    """UIDs that vanished, and those that changed, after a moment of the folder's that is known by its HIGHESTMODSEQ."""
    imap.untagged_responses.pop("VANISHED", None)
    told = imap.uid("FETCH", "1:*", "(UID FLAGS RFC822.SIZE) (CHANGEDSINCE {} VANISHED)".format(modseq))[1]
    changed = {fetched(line)[0] for line in filter(None, told)}
    gone = imap.response("VANISHED")[1]
    return spread(b" ".join(filter(None, gone)).decode()), changed


def spread(said: str) -> Set[int]:
    """The numbers of `(EARLIER) 3:5,9`."""
    found = set()  # type: Set[int]
    for first, last in re.findall(r"(\d+)(?::(\d+))?", said):
        found.update(range(int(first), int(last or first) + 1))
    return found


def content(imap: imaplib.IMAP4, uid: int) -> bytes:
    """The whole message; nothing where the server gives none."""
    told = imap.uid("FETCH", str(uid), "(BODY.PEEK[])")[1]
    return next((bytes(part[1]) for part in told if isinstance(part, tuple)), b"")
