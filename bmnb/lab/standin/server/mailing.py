"""A client's mail as real clients leave it in a real Cyrus: delivered, appended, flagged, shared, filtered, deleted."""

from __future__ import annotations

import base64
import imaplib
import random
import smtplib
import socket
from collections.abc import Sequence
from email.message import EmailMessage

from . import cyrus
from .client import User
from .here import token
from .spool import Bodies

FOLDERS = ("Sent", "Trash", "Drafts", "Junk")
ODD_FOLDERS = (
    "&AMk-t&AOk- 2026",
    "R&APY-hren &- Kabel",
    "&U,BTFw-",
    "&2D3eAA-",
    "-urgent",
    "a.b c",
    "it's (x) = y~",
    "/".join(f"level {number}" for number in range(1, 13)),
)
"""Modified UTF-7 as it goes over the line; the last is twelve levels deep."""

SHARED = "shared.papers"
SIEVE = b"""require ["fileinto", "imap4flags"];
if header :contains "Subject" "filed" { setflag "$filed"; fileinto "Sent"; }
"""
FLAGS = ("", "\\Seen", "\\Seen \\Answered", "\\Flagged", "\\Draft", "\\Seen $Forwarded", "tag&AOk- $MDNSent")
LARGE = 3_000_000


def fill(messages: int, users: list[User], seed: str) -> None:
    """Mailboxes of the users with so many messages; what is odd lies in the first user's."""
    cyrus.wait()
    bodies = Bodies(seed)
    admin = cyrus.as_user(cyrus.ADMIN)
    for user in users:
        create(admin, user)
    for number in range(messages):
        place(number, bodies.random.choice(users), users, bodies)
    if len(users) > 1:
        leave_odd(admin, users, bodies)
    admin.logout()


def box(user: User) -> str:
    return f"{user.login}@{user.domain.uid}"


def quoted(name: str) -> str:
    return f'"{name}"'


def must(told: tuple[str, Sequence[object]]) -> Sequence[object]:
    done, data = told
    if done != "OK":
        raise RuntimeError(f"Cyrus says: {data!r}")
    return data


def create(admin: imaplib.IMAP4, user: User) -> None:
    name = quoted(f"user/{box(user)}")
    must(admin.xatom("CREATE", name, cyrus.home(user.domain.uid)))
    must(admin.setquota(name, "(STORAGE 500000)"))
    imap = cyrus.as_user(box(user))
    for folder in (*FOLDERS, *ODD_FOLDERS[: user.number % len(ODD_FOLDERS)]):
        must(imap.create(quoted(folder)))
        must(imap.subscribe(quoted(folder)))
    imap.logout()


def place(number: int, user: User, users: list[User], bodies: Bodies) -> None:
    """One message: most are delivered, some to several at once, which Cyrus keeps as one file."""
    message = bodies.message(user, number)
    drawn: random.Random = bodies.random
    if number % 3:
        to = {user, drawn.choice(users)} if number % 25 == 1 else {user}
        cyrus.deliver([box(one) for one in sorted(to, key=box)], user.email, message)
        return
    imap = cyrus.as_user(box(user))
    moment = imaplib.Time2Internaldate(bodies.moment() / 1e9)
    must(imap.append(quoted(drawn.choice(("INBOX", *FOLDERS))), f"({drawn.choice(FLAGS)})", moment, message))
    imap.logout()


def leave_odd(admin: imaplib.IMAP4, users: list[User], bodies: Bodies) -> None:
    user, other = users[0], next(one for one in users[1:] if one.domain == users[0].domain)
    filter_mail(user)
    for message in odd_messages(user, bodies):
        try_delivery(user, message)
    imap = cyrus.as_user(box(user))
    for folder in ODD_FOLDERS:
        imap.create(quoted(folder))
        must(imap.append(quoted(folder), "(\\Seen)", "", bodies.message(user, 1)))
    must(imap.setacl(quoted("Sent"), box(other), "lrs"))
    must(imap.select("INBOX"))
    must(imap.store("2:3", "+FLAGS", "(\\Deleted)"))
    must(imap.expunge())
    must(imap.store("1", "+FLAGS", "($label1 \\Flagged)"))
    imap.delete(quoted(ODD_FOLDERS[4]))
    imap.logout()
    share(admin, user, other, bodies)


def share(admin: imaplib.IMAP4, user: User, other: User, bodies: Bodies) -> None:
    """A mailbox that is nobody's own, with a folder below, for two users."""
    for name in (SHARED, f"{SHARED}/below"):
        full = quoted(f"{name}@{user.domain.uid}")
        must(admin.xatom("CREATE", full, cyrus.home(user.domain.uid)))
        must(admin.setacl(full, box(user), "lrswipkxtecd"))
        must(admin.setacl(full, box(other), "lrs"))
    imap = cyrus.as_user(box(user))
    for name in (SHARED, f"{SHARED}/below"):
        for number in range(3):
            must(
                imap.append(quoted(f"Shared Folders/{name}"), "(\\Flagged)", "", bodies.message(user, number))
            )
    imap.logout()


def odd_messages(user: User, bodies: Bodies) -> list[bytes]:
    head = f"From: {user.email}\r\nTo: {user.email}\r\nSubject: "
    parts = EmailMessage()
    parts["From"], parts["Subject"] = user.email, "parts filed"
    parts.set_content("plain, déjà vu\n")
    parts.add_alternative("<p>déjà vu</p>", subtype="html")
    parts.add_attachment(
        bodies.text(50_000), maintype="application", subtype="octet-stream", filename="été.bin"
    )
    large = base64.encodebytes(bodies.text(len(bodies.pool) // 2)) * (LARGE // 200_000)
    return [
        parts.as_bytes().replace(b"\n", b"\r\n"),
        f"{head}8 bit\r\n\r\n".encode() + bytes(range(128, 256)),
        f"{head}NUL\r\n\r\nbefore \0 after\r\n".encode(),
        f"{head}bare line ends\r\n\r\none\ntwo\rthree\r\n".encode(),
        f"{head}large\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + large.replace(b"\n", b"\r\n"),
        f"{head}empty\r\n\r\n".encode(),
        f"{head}{'long ' * 3000}\r\n\r\n.\r\n..\r\n".encode(),
    ]


def try_delivery(user: User, message: bytes) -> None:
    """Cyrus may refuse what is not well formed, as it does in life."""
    try:
        cyrus.deliver([box(user)], user.email, message)
    except smtplib.SMTPDataError as error:
        print(f"Cyrus refuses a message: {error.smtp_error!r}")


def filter_mail(user: User) -> None:
    """Put a Sieve script and activate it, over ManageSieve."""
    secret = base64.b64encode(f"{box(user)}\0{cyrus.ADMIN}\0{token()}".encode()).decode()
    size = len(SIEVE)
    with (
        socket.create_connection((cyrus.HOST, cyrus.SIEVE_PORT)) as connection,
        connection.makefile("rwb") as lines,
    ):
        for said in (
            b"",
            f'AUTHENTICATE "PLAIN" "{secret}"\r\n'.encode(),
            f'PUTSCRIPT "own" {{{size}+}}\r\n'.encode() + SIEVE + b"\r\n",
            b'SETACTIVE "own"\r\n',
        ):
            lines.write(said)
            lines.flush()
            answer = next(line for line in lines if line.upper().startswith((b"OK", b"NO", b"BYE")))
            if not answer.upper().startswith(b"OK"):
                raise RuntimeError(f"ManageSieve says: {answer!r}")
