"""Send a message to an account, and see by IMAP that it arrives and which folders there are.

Runs on the server, with its Python from 3.6 on, so it imports nothing of this project:

    try_account.py ACCOUNT        prints one JSON object

It needs no password: the core lets its own token act as any user, and takes the session's key for one.
The message is deleted when it was seen.
"""

import imaplib
import json
import re
import smtplib
import sys
import time
import urllib.parse
import urllib.request
import uuid
from email.message import EmailMessage
from email.utils import formatdate
from typing import List

HOST = "127.0.0.1"
API = f"http://{HOST}:8090/api/auth/"
TOKEN = "/etc/bm/bm-core.tok"
PATIENCE = 60  # seconds until a message must have arrived
NAME = re.compile(rb'\(.*?\) (?:"[^"]*"|NIL) (.*)', re.DOTALL)


def session(account: str) -> str:
    """The key of a session as this user."""
    with open(TOKEN) as file:
        token = file.read().strip()
    url = f"{API}_su?login={urllib.parse.quote(account)}"
    headers = {"X-BM-ApiKey": token, "Content-Type": "application/json"}
    asked = urllib.request.Request(url, b"", headers, method="POST")
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        told = json.loads(answer.read().decode())
    if told["status"] != "Ok":
        sys.exit(f"the core knows no user {account}")
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
            found.append(match.group(1).strip(b'"'))
    return found


def count(imap: imaplib.IMAP4, name: bytes) -> int:
    told = imap.select('"{}"'.format(name.decode().replace("\\", "\\\\").replace('"', '\\"')), readonly=True)
    return int(told[1][0] or 0) if told[0] == "OK" else -1


def arrived(imap: imaplib.IMAP4, message: str) -> bool:
    """Whether the message is there; it is deleted then."""
    imap.select("INBOX")
    numbers = imap.search(None, "HEADER", "Message-ID", message)[1][0].split()
    for number in numbers:
        imap.store(number.decode(), "+FLAGS", "(\\Deleted)")
    imap.expunge()
    return bool(numbers)


def main(account: str) -> None:
    imap = imaplib.IMAP4(HOST)
    if "STARTTLS" in imap.capabilities:
        imap.starttls()
    imap.login(account, session(account))
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


if __name__ == "__main__":
    main(sys.argv[1])
