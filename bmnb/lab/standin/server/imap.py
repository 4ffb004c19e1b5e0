"""A stand-in of IMAP for rehearsal: who has a session of the core reads its mail as Cyrus keeps it. It is not BlueMind."""

from __future__ import annotations

import json
import shlex
import shutil
import socketserver
import urllib.parse
import urllib.request
from pathlib import Path

from .client import DOMAINS, User, mailbox_folder
from .spool import DATA

CORE = "http://127.0.0.1:8090/api/auth/login?login="


def inbox(account: str) -> Path | None:
    """Where the mail of login@domain lies; None where there is no such mailbox."""
    login, _, name = account.partition("@")
    domain = next((one for one in DOMAINS if name in (one.name, one.uid, *one.aliases)), None)
    place = DATA / mailbox_folder(User(0, login, "", domain)) if domain else None
    return place if place and place.is_dir() else None


def messages(folder: Path) -> list[Path]:
    """Its messages, by their numbers."""
    return sorted(
        (path for path in folder.iterdir() if path.name[:-1].isdigit() and path.name.endswith(".")),
        key=lambda path: int(path.name[:-1]),
    )


def deliver(folder: Path, message: bytes) -> None:
    """Write beside, then rename, as Cyrus does."""
    last = messages(folder)[-1:]
    number = int(last[0].name[:-1]) + 1 if last else 1
    staged = folder / "stage"
    staged.write_bytes(message)
    shutil.chown(staged, "cyrus", "mail")
    staged.chmod(0o600)
    staged.rename(folder / f"{number}.")


def is_session(account: str, key: str) -> bool:
    url = CORE + urllib.parse.quote(account)
    asked = urllib.request.Request(url, json.dumps(key).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return bool(json.load(answer)["status"] == "Ok")


class Imap(socketserver.StreamRequestHandler):
    """Log in, list folders and count their messages, find one by a header, delete it."""

    top: Path | None = None
    chosen: Path | None = None

    def handle(self) -> None:
        self.say("* OK [CAPABILITY IMAP4rev1] stand-in ready")
        for line in self.rfile:
            tag, verb, *words = shlex.split(line.decode())
            work = getattr(self, f"do_{verb.lower()}", None)
            done = work is not None and (self.top or verb.lower() in self.free) and work(*words)
            self.say(f"{tag} OK done" if done else f"{tag} NO not here, or not in the stand-in")
            if verb.upper() == "LOGOUT":
                return

    free = ("capability", "noop", "login", "logout")

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def do_capability(self) -> bool:
        self.say("* CAPABILITY IMAP4rev1")
        return True

    def do_noop(self) -> bool:
        return True

    def do_logout(self) -> bool:
        self.say("* BYE")
        return True

    def do_login(self, account: str, key: str) -> bool:
        self.top = inbox(account) if is_session(account, key) else None
        return self.top is not None

    def do_list(self, *_: str) -> bool:
        assert self.top
        below = [str(path.relative_to(self.top)) for path in sorted(self.top.rglob("*")) if path.is_dir()]
        for name in ["INBOX", *below]:
            if name.isascii() and name.isprintable():
                self.say(f'* LIST () "/" "{name}"')
            else:
                self.say(f'* LIST () "/" {{{len(name.encode())}}}\r\n{name}')
        return True

    def do_select(self, name: str, *_: str) -> bool:
        assert self.top
        self.chosen = self.top if name == "INBOX" else self.top / name
        if self.chosen.is_dir():
            self.say(f"* {len(messages(self.chosen))} EXISTS")
        return self.chosen.is_dir()

    do_examine = do_select

    def do_search(self, kind: str, header: str, value: str, *_: str) -> bool:
        assert self.chosen
        wanted = f"{header}: {value}".lower().encode()
        found = [
            str(number)
            for number, path in enumerate(messages(self.chosen), 1)
            if wanted in path.read_bytes().lower()
        ]
        self.say(" ".join(["* SEARCH", *found]))
        return kind.upper() == "HEADER"

    def do_store(self, number: str, *_: str) -> bool:
        """A message that is deleted is gone at once: there is no other flag here."""
        assert self.chosen
        messages(self.chosen)[int(number) - 1].unlink()
        return True

    def do_create(self, name: str) -> bool:
        assert self.top
        folder = self.top / name
        if name == "INBOX" or folder.exists():
            return False
        folder.mkdir(parents=True)
        return True

    def do_append(self, name: str, *words: str) -> bool:
        assert self.top
        self.say("+ go on")
        content = self.rfile.read(int(words[-1].strip("{}")))
        self.rfile.readline()
        deliver(self.top if name == "INBOX" else self.top / name, content)
        return True

    def do_expunge(self) -> bool:
        return True
