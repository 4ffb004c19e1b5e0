"""The client's users at work in a real Cyrus: each change is one that a mail program or a mail server makes."""

from __future__ import annotations

import imaplib
import random
import re

from . import cyrus
from .mailing import quoted

NAME = re.compile(rb'"?user/([^/"]+)"?$')
MESSAGE = b"From: someone@later.example\r\nSubject: new\r\n\r\nwritten while the copy was made\r\n"


def accounts() -> list[str]:
    """Every user with a mailbox, as login@domain."""
    admin = cyrus.as_user(cyrus.ADMIN)
    found = [NAME.search(line) for line in admin.list('""', '"*"')[1] if isinstance(line, bytes)]
    admin.logout()
    return [match.group(1).decode() for match in found if match]


def deliver(account: str) -> bool:
    cyrus.deliver([account], "someone@later.example", MESSAGE)
    return True


def _any(account: str) -> tuple[imaplib.IMAP4, str]:
    """A session with INBOX opened, and one of its messages by its number, if it has any."""
    imap = cyrus.as_user(account)
    number = int(imap.select("INBOX")[1][0] or 0)
    return imap, str(random.randint(1, number)) if number else ""


def flag(account: str) -> bool:
    imap, number = _any(account)
    if number:
        imap.store(number, random.choice(("+FLAGS", "-FLAGS")), "(\\Seen $label1)")
    imap.logout()
    return bool(number)


def move(account: str) -> bool:
    imap, number = _any(account)
    if number:
        imap.copy(number, quoted("Trash"))
        _delete(imap, number)
    imap.logout()
    return bool(number)


def delete(account: str) -> bool:
    imap, number = _any(account)
    if number:
        _delete(imap, number)
    imap.logout()
    return bool(number)


def _delete(imap: imaplib.IMAP4, number: str) -> None:
    imap.store(number, "+FLAGS", "(\\Deleted)")
    imap.expunge()
