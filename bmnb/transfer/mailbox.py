"""Work in users' mailboxes by IMAP, as they do.

Runs on the server, with its Python from 3.6 on, so it imports nothing of this project:

    mailbox.py try ACCOUNT        send a message to it, see it arrive, delete it; count the messages of its folders
    mailbox.py look               open the folders of every user's mailbox, and count their messages
    mailbox.py bring-back KEPT    append the messages of a tar archive to the folders that their paths name; write
                                  into the file KEPT what is in the archive alone, a JSON line each

Each prints one JSON object. It needs no password: the core lets its own token act as any user, and takes the
session's key for one.
"""

import imaplib
import json
import os
import re
import smtplib
import sys
import tarfile
import time
import urllib.parse
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Dict, Iterator, List

HOST = "127.0.0.1"
API = f"http://{HOST}:8090/api"
TOKEN = "/etc/bm/bm-core.tok"
PATIENCE = 60  # seconds until a message must have arrived
SIDE_BY_SIDE = 8
MESSAGE = re.compile(r"(/.*/domain/[^/]/([^/]+)/[^/]/user/([^/]+))((?:/[^/]+)*)/\d+\.$", re.DOTALL)
NAME = re.compile(rb'\(.*?\) (?:"[^"]*"|NIL) (.*)', re.DOTALL)


def ask(method: str, path: str) -> Any:
    """What the core answers to its own token."""
    with open(TOKEN) as file:
        token = file.read().strip()
    headers = {"X-BM-ApiKey": token, "Content-Type": "application/json"}
    data = b"" if method == "POST" else None
    asked = urllib.request.Request(API + path, data, headers, method=method)
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        return json.loads(answer.read().decode())


def session(account: str) -> str:
    """The key of a session as this user."""
    told = ask("POST", f"/auth/_su?login={urllib.parse.quote(account)}")
    if told["status"] != "Ok":
        raise LookupError(f"the core knows no user {account}")
    return str(told["authKey"])


def send(account: str) -> str:
    """Send a message from the account to itself; return its Message-ID."""
    message = EmailMessage()
    message["From"] = message["To"] = account
    message["Subject"] = "Migration: this message shows that mail arrives"
    message["Date"] = formatdate()
    message["Message-ID"] = "<bmnb-{}@{}>".format(uuid.uuid4(), account.partition("@")[2])
    message.set_content("It is deleted as soon as it was seen.\n")
    with smtplib.SMTP(HOST) as server:
        server.send_message(message)
    return str(message["Message-ID"])


def names(imap: imaplib.IMAP4) -> List[bytes]:
    """The folders as the server writes them; one with odd letters comes as a literal, in two parts."""
    found = []
    for line in imap.list()[1]:
        if isinstance(line, tuple):
            found.append(line[1])
        elif line:
            match = NAME.match(line)
            assert match, line
            found.append(unquoted(match.group(1)))
    return found


def count(imap: imaplib.IMAP4, name: bytes) -> int:
    # as bytes: imaplib would have a text be ASCII
    folder = b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    told = imap.select(folder, readonly=True)  # type: ignore[arg-type]
    return int(told[1][0] or 0) if told[0] == "OK" else -1


def arrived(imap: imaplib.IMAP4, message: str) -> bool:
    """Whether the message is there; it is deleted then."""
    imap.select("INBOX")
    numbers = imap.search(None, "HEADER", "Message-ID", message)[1][0].split()
    for number in numbers:
        imap.store(number.decode(), "+FLAGS", "(\\Deleted)")
    imap.expunge()
    return bool(numbers)


def opened(account: str) -> imaplib.IMAP4:
    imap = imaplib.IMAP4(HOST)
    if "STARTTLS" in imap.capabilities:
        imap.starttls()
    imap.login(account, session(account))
    return imap


def unquoted(name: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", name[1:-1]) if name.startswith(b'"') else name


def quoted(name: str) -> str:
    return '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"'))


def attempt(account: str) -> None:
    imap = opened(account)
    folders = [
        (name.decode(errors="replace"), count(imap, name)) for name in names(imap) if b"\n" not in name
    ]
    began = time.monotonic()
    message = send(account)
    while not arrived(imap, message):
        if time.monotonic() > began + PATIENCE:
            sys.exit(f"the message {message} has not arrived within {PATIENCE} s")
        time.sleep(0.5)
    print(json.dumps({"seconds": round(time.monotonic() - began, 1), "folders": folders}))
    imap.logout()


def accounts() -> Iterator[str]:
    """Those of all users of all domains who are not archived."""
    for domain in ask("GET", "/domains"):
        if domain["value"]["global"]:
            continue
        for one in ask("GET", "/mailboxes/{}/_list".format(urllib.parse.quote(domain["uid"]))):
            if one["value"]["type"] == "user" and not one["value"]["archived"]:
                yield "{}@{}".format(one["value"]["name"], domain["uid"])


def look_into(account: str) -> Dict[str, Any]:
    """Folders and messages of an account; why it could not be looked at, or what it has that cannot be opened."""
    try:
        imap = opened(account)
        folders = [(name, count(imap, name)) for name in names(imap) if b"\n" not in name]
        imap.logout()
    except (LookupError, OSError, imaplib.IMAP4.error) as error:
        return {"mailbox": account, "folders": 0, "messages": 0, "why": str(error) or type(error).__name__}
    shut = [name.decode(errors="replace") for name, number in folders if number < 0]
    messages = sum(number for _, number in folders if number > 0)
    return {"mailbox": account, "folders": len(folders), "messages": messages, "why": ", ".join(shut)}


def look() -> None:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        print(json.dumps(list(pool.map(look_into, accounts()))))


def has(top: str, content: bytes) -> bool:
    """Whether a message with this content is in one of a mailbox's folders: it was moved, it has not come."""
    for folder, _, files in os.walk(top):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.getsize(path) == len(content):
                with open(path, "rb") as file:
                    if file.read() == content:
                        return True
    return False


def append(account: str, folder: str, moment: float, content: bytes) -> str:
    """Append a message to a folder; what stands in the way, or nothing."""
    try:
        imap = opened(account)
    except LookupError as error:
        return str(error)
    imap.create(quoted(folder))
    done, told = imap.append(quoted(folder), "", imaplib.Time2Internaldate(moment), content)
    imap.logout()
    return "" if done == "OK" else "refused: {}".format((told[0] or b"").decode(errors="replace"))


NOBODY = "in no user's mailbox: a shared one, or a body by hash (5.x)"
BROUGHT, THERE, KEPT = "brought back", "there already", "only kept"


def bring_back(kept: str) -> None:
    counted = {BROUGHT: 0, THERE: 0, KEPT: 0}
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|gz") as archive, open(kept, "w") as told:
        for member in archive:
            match, file = MESSAGE.match(member.name), archive.extractfile(member)
            why, done = NOBODY, BROUGHT
            if match and file:
                content = file.read()
                top, domain, login, folder = match.groups()
                account = "{}@{}".format(login.replace("^", "."), domain)
                if has(top, content):
                    why, done = "", THERE
                else:
                    why = append(account, folder[1:] or "INBOX", member.mtime, content)
            counted[KEPT if why else done] += 1
            if why:
                told.write(json.dumps({"item": member.name, "why": why}) + "\n")
    print(json.dumps(counted))


if __name__ == "__main__":
    if sys.argv[1] == "try":
        attempt(sys.argv[2])
    elif sys.argv[1] == "look":
        look()
    else:
        bring_back(sys.argv[2])
