"""The client's mail and the other trees of a server; the same seed gives the same bytes and times."""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .client import User, mailbox_folder

DATA, META = Path("/var/spool/cyrus/data"), Path("/var/spool/cyrus/meta")
ARCHIVES = Path("/var/spool/bm-hsm/cyrus-archives")
BY_HASH = (Path("/var/spool/cyrus/data/by_hash"), Path("/var/spool/bm-hsm/data/by_hash"))
ARCHIVED, SHARED = 20, 25
"""One message in so many is archived; one in so many is delivered to several users as one file."""

FOLDERS = ("", "Sent", "Trash", "Drafts", "Junk")
EMPTY_FOLDERS = ("Outbox", "Templates")
MORE_FOLDERS = ("&AMk-t&AOk- 2026", "Projets 2026", "Éléments reçus", "-urgent", "line\nbreak")
SMALLEST, LARGEST = 2_000, 20_000

CYRUS, ROOT = "cyrus:mail", "root:root"
TREES = {
    "/var/spool/cyrus": CYRUS,
    "/var/lib/cyrus": CYRUS,
    "/var/spool/bm-hsm": CYRUS,
    "/var/spool/sieve": CYRUS,
    "/var/spool/bm-elasticsearch": "elasticsearch:elasticsearch",
    "/var/spool/bm-docs": ROOT,
    "/var/spool/bm-filehosting": ROOT,
    "/var/spool/bm-hollowed": ROOT,
    "/var/spool/bm-mapi": ROOT,
    "/var/spool/bm-replication": ROOT,
    "/var/spool/bm-core/rules": ROOT,
}
"""Each tree with its owner."""

ONLY_WITH_CYRUS = ("/var/lib/cyrus", "/var/spool/sieve", "/var/spool/bm-replication")
ONLY_WITHOUT_CYRUS = ("/var/spool/bm-core/rules",)


class Bodies:
    """Texts and times, drawn from a seed."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        words = [f"{self.random.getrandbits(40):x}" for _ in range(400)] + ["été", "Straße", "会议", "😀"]
        self.pool = " ".join(self.random.choices(words, k=60_000)).encode()

    def text(self, size: int) -> bytes:
        begin = self.random.randrange(len(self.pool) - size)
        return self.pool[begin : begin + size]

    def message(self, user: User, number: int) -> bytes:
        head = f"From: {user.email}\r\nSubject: message {number}\r\nMIME-Version: 1.0\r\n\r\n"
        return head.encode() + self.text(self.random.randrange(SMALLEST, LARGEST))

    def moment(self) -> int:
        """A time in nanoseconds, somewhere in three years."""
        return 1_670_000_000_000_000_000 + self.random.randrange(10**17)

    def write(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        moment = self.moment()
        os.utime(path, ns=(moment, moment))


@dataclass
class Folder:
    """A folder of a user, below the data, meta and archive folders of Cyrus."""

    user: User
    place: str
    messages: int = 0


def fill_cyrus(messages: int, users: list[User], bodies: Bodies) -> None:
    """Messages, indexes and archives in the layout of Cyrus."""
    used = [Folder(user, place) for user in users for place in folders(user)]
    empty = [f"{mailbox_folder(user)}/{name}" for user in users for name in EMPTY_FOLDERS]
    for place in [*(folder.place for folder in used), *empty]:
        for top in (DATA, META):
            (top / place).mkdir(parents=True, exist_ok=True)
    latest: dict[str, Path] = {}
    for number in range(1, messages + 1):
        _deliver(number, bodies.random.choice(used), bodies, latest)
    for folder in used:
        _index(folder, bodies)


def _deliver(number: int, folder: Folder, bodies: Bodies, latest: dict[str, Path]) -> None:
    """Add a message; a shared one is the domain's latest, as a hard link."""
    folder.messages += 1
    domain, name = folder.user.domain.uid, f"{folder.messages}."
    path = DATA / folder.place / name
    if number % ARCHIVED == 0:
        path = ARCHIVES / folder.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        bodies.write(path, bodies.message(folder.user, number))
    elif number % SHARED < 2 and domain in latest:
        os.link(latest[domain], path)
    else:
        bodies.write(path, bodies.message(folder.user, number))
        latest[domain] = path


def _index(folder: Folder, bodies: Bodies) -> None:
    for name, size in (
        ("cyrus.header", 150),
        ("cyrus.index", 128 + 96 * folder.messages),
        ("cyrus.cache", 900),
    ):
        content = bodies.random.getrandbits(8 * size).to_bytes(size, "little")
        bodies.write(META / folder.place / name, content)


def folders(user: User) -> list[str]:
    """A user's folders with mail; some have made more than others."""
    more = MORE_FOLDERS[: user.number % (len(MORE_FOLDERS) + 1)]
    return [str(Path(mailbox_folder(user), name)) for name in (*FOLDERS, *more)]


def fill_by_hash(messages: int, users: list[User], bodies: Bodies) -> None:
    """Bodies as 5.x keeps them, by the first two digits of their GUID."""
    for number in range(1, messages + 1):
        guid = f"{bodies.random.getrandbits(160):040x}"
        path = BY_HASH[number % ARCHIVED == 0] / guid[0] / guid[1] / f"{guid}.zst"
        path.parent.mkdir(parents=True, exist_ok=True)
        bodies.write(path, bodies.message(users[number % len(users)], number))


ODD_NAMES = (
    *(b"a space", "accenté ü".encode(), b"new\nline", b"-leading dash", b"quote'\"$(x);", b"back\\slash"),
    *(b"not utf-8 \xff\xfe", b"tab\tand *?[star]", b"#hash~", b"x" * 250),
)


def fill_odd(bodies: Bodies) -> None:
    """Names and kinds of files that break careless tools."""
    place = DATA / "odd names"
    (place / "empty directory" / "below").mkdir(parents=True)
    for name in ODD_NAMES:
        bodies.write(place / os.fsdecode(name), bodies.text(100))
    (place / "link").symlink_to("a space")
    (place / "link to a directory").symlink_to("empty directory")
    (place / "dangling link").symlink_to("/nowhere/at/all")
    bodies.write(place / "empty file", b"")
    with (place / "sparse file").open("wb") as sparse:
        sparse.truncate(5_000_000)
    subprocess.run(["setfacl", "-m", "u:www-data:r", place / "a space"], check=True)
    os.setxattr(place / "empty file", "user.bmnb", b"wert")
    (place / "empty file").chmod(0o4640)


def fill_other(users: list[User], bodies: Bodies, trees: list[str]) -> None:
    """Those of the trees that are not mail, in little."""
    for tree, names in _other(users).items():
        for name in names if tree in trees else []:
            path = Path(tree, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            bodies.write(path, bodies.text(bodies.random.randrange(500, 50_000)))


def _other(users: list[User]) -> dict[str, list[str]]:
    domains = sorted({user.domain.uid for user in users})
    first = users[0].login
    return {
        "/var/lib/cyrus": [
            *("mailboxes.db", "annotations.db", "sync/core/log", f"quota/{first[0]}/user.{first}"),
            *(f"user/{user.login[0]}/{user.login}.sub" for user in users),
        ],
        "/var/spool/sieve": [
            "global/spam.script",
            *(f"domain/{one[0]}/{one}/{first[0]}/{first}/vacation.script" for one in domains),
        ],
        "/var/spool/bm-elasticsearch": [
            *(f"data/nodes/0/indices/{n:04}/0/index/_{n}.cfs" for n in range(40)),
            *("data/nodes/0/_state/global-1.st", "data/es.pid", "repo/index-0"),
        ],
        "/var/spool/bm-docs": [f"photos/{user.login}.png" for user in users[:50]],
        "/var/spool/bm-filehosting": [f"{one}/Grande pièce jointe.pdf" for one in domains],
        "/var/spool/bm-hollowed": ["directory/_0.cfs", "directory/segments_1", "tokens/t1"],
        "/var/spool/bm-mapi": [f"replicas/{user.login}" for user in users[:20]],
        "/var/spool/bm-replication": ["bodies.replicated.tgz"],
        "/var/spool/bm-core/rules": [f"{one}.json" for one in domains],
    }


def present(cyrus: bool) -> dict[str, str]:
    """The trees of this release, each with its owner."""
    absent = ONLY_WITHOUT_CYRUS if cyrus else ONLY_WITH_CYRUS
    return {tree: owner for tree, owner in TREES.items() if tree not in absent}
