"""The client's users at work, for rehearsal: mail is delivered, flagged, moved and deleted, rows change."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

from . import clients
from .here import has_cyrus, ini, parse_ini, variant
from .spool import BY_HASH, DATA, META

COUNTERS = Path("/var/log/bmnb-writer")
SETTINGS = Path("/etc/default/bmnb-writer")
WIDTH = 120
"""The counters are one line of this width, written at once, so that no reader sees half of it."""

BODY = range(1_000, 8_000)
SHARE_OF_ROWS = 0.3

ROWS = """BEGIN;
INSERT INTO t_message_body (guid, subject, size, date_header, created, headers)
  SELECT decode(md5(random()::text), 'hex'), 'écrit à ' || clock_timestamp(), 1000, now(), now(), '{}';
UPDATE t_message_body SET size = size + 1 WHERE guid =
  (SELECT guid FROM t_message_body WHERE guid >= decode(md5(random()::text), 'hex') ORDER BY guid LIMIT 1);
UPDATE t_mailbox_record SET system_flags = system_flags # 1 WHERE subtree_id = %(subtree)d AND item_id =
  (SELECT item_id FROM t_mailbox_record WHERE subtree_id = %(subtree)d LIMIT 1);
DELETE FROM t_message_body WHERE guid =
  (SELECT guid FROM t_message_body WHERE guid >= decode(md5(random()::text), 'hex') ORDER BY guid LIMIT 1);
COMMIT;
"""
"""A subtree by its number is in one of the table's partitions; PostgreSQL looks at no other."""

Work = Callable[[Any], bool]
"""Of a folder, or of an account where a real Cyrus has it."""


def is_message(name: str) -> bool:
    return name.endswith((".zst", ".")) and not name.startswith(".")


def folders() -> list[Path]:
    """The folders with messages."""
    return [Path(place) for place, _, names in os.walk(DATA) if any(map(is_message, names))]


def message(folder: Path) -> Path | None:
    names = [entry.name for entry in os.scandir(folder) if is_message(entry.name)]
    return folder / random.choice(names) if names else None


def new_name(folder: Path) -> Path:
    if variant().cyrus:
        return folder / f"{random.randrange(10**6, 10**9)}."
    return folder / f"{folder.parent.name}{folder.name}{random.getrandbits(152):038x}.zst"


def deliver(folder: Path) -> bool:
    """Write beside, then rename, as Cyrus does."""
    staged = folder / "stage"
    staged.write_bytes(b"Subject: new\r\n\r\n" + os.urandom(random.choice(BODY)))
    staged.rename(new_name(folder))
    return True


def flag(folder: Path) -> bool:
    """Rewrite a part of the folder's index in place, at the same size, as Cyrus does."""
    index = META / folder.relative_to(DATA) / "cyrus.index"
    if not index.exists():
        return False
    with index.open("r+b") as file:
        file.seek(random.randrange(index.stat().st_size - 16))
        file.write(os.urandom(16))
    return True


def move(folder: Path) -> bool:
    """A message gets another number; from 5.x on, where names are sums, it goes to the archive."""
    found = message(folder)
    if not found:
        return False
    to = new_name(folder)
    if not variant().cyrus:
        to = BY_HASH[1] / found.relative_to(BY_HASH[0])
        to.parent.mkdir(parents=True, exist_ok=True)
    found.rename(to)
    return True


def delete(folder: Path) -> bool:
    found = message(folder)
    if found:
        found.unlink()
    return bool(found)


KINDS: dict[str, tuple[Work, int]] = {
    "delivered": (deliver, 4),
    "flagged": (flag, 4),
    "moved": (move, 1),
    "deleted": (delete, 1),
}
"""Each kind of change with its weight."""

OVER_IMAP: dict[str, Work] = {
    "delivered": clients.deliver,
    "flagged": clients.flag,
    "moved": clients.move,
    "deleted": clients.delete,
}


class Database:
    """A session on bj-data; the service starts anew when it breaks."""

    def __init__(self) -> None:
        self.psql = subprocess.Popen(
            ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-U", "bj", "-h", "localhost", "bj-data"],
            stdin=subprocess.PIPE,
            text=True,
            env={**os.environ, "PGPASSWORD": ini()["password"]},
        )

    def change(self) -> None:
        assert self.psql.stdin
        self.psql.stdin.write(ROWS % {"subtree": random.randrange(1, 11)})
        self.psql.stdin.flush()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.umask(0o077)
    pause = 1 / float(parse_ini(SETTINGS.read_text())["CHANGES_A_SECOND"])
    places: list[Any] = clients.accounts() if has_cyrus() else folders()
    database = Database()
    files = {kind: work for kind, (work, _) in KINDS.items()}
    done = {**dict.fromkeys(KINDS, 0), "rows": 0}
    kinds, weights = list(KINDS), [weight for _, weight in KINDS.values()]
    counters = os.open(COUNTERS, os.O_WRONLY)
    while True:
        kind = random.choices(kinds, weights)[0]
        done[kind] += (OVER_IMAP if has_cyrus() else files)[kind](random.choice(places))
        if random.random() < SHARE_OF_ROWS:
            database.change()
            done["rows"] += 1
        os.pwrite(counters, f"{done}".ljust(WIDTH).encode() + b"\n", 0)
        time.sleep(pause)


if __name__ == "__main__":
    main()
