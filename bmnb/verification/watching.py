"""Watch a mail server for a while: its queue, the errors in its logs, its ports, how long messages take.

Runs on the server, with its Python from 3.5 on, so it imports nothing of this project: watching.py FILE ADDRESS
SECONDS PAUSE LOG..., where each round is appended to FILE as a line of JSON, and said in words.
"""

import json
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

PORTS = (25, 80, 110, 143, 443, 465, 587, 993, 995, 4190)
ANSWERS_IN = 10
ERROR = b" ERROR - "
SENT = re.compile(r" delay=([0-9.]+),.* status=(sent|deferred|bounced)")


def answering(address: str) -> "list[int]":
    """The ports at which somebody takes a connection."""
    found = []
    for port in PORTS:
        try:
            socket.create_connection((address, port), ANSWERS_IN).close()
        except OSError:
            continue
        found.append(port)
    return found


def queued() -> "int | None":
    """Messages in Postfix's queue; None where it does not tell."""
    asked = subprocess.run(["postqueue", "-p"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    said = asked.stdout.decode(errors="replace").strip().splitlines()
    if asked.returncode or not said:
        return None
    counted = re.search(r"in (\d+) Request", said[-1])
    return int(counted.group(1)) if counted else 0 if "empty" in said[-1] else None


def deliveries(since: float) -> "list[tuple[float, str]] | None":
    """Seconds and outcome of each delivery that Postfix logged since then; None where there is no journal."""
    words = ["journalctl", "-q", "--no-pager", "-o", "cat", "--since", f"@{since:.0f}", "-t", "postfix/smtp"]
    words += ["-t", "postfix/lmtp", "-t", "postfix/local", "-t", "postfix/virtual", "-t", "postfix/pipe"]
    asked = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if asked.returncode not in (0, 1):
        return None
    found = SENT.findall(asked.stdout.decode(errors="replace"))
    return [(float(delay), status) for delay, status in found]


class Log:
    """A log from where it stands now; one that was rotated is read from its beginning."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.inode, self.at = self._stands()

    def _stands(self) -> "tuple[int, int]":
        try:
            there = self.path.stat()
        except OSError:
            return 0, 0
        return there.st_ino, there.st_size

    def errors(self) -> int:
        """Lines of level ERROR since the last time."""
        inode, size = self._stands()
        if inode != self.inode or size < self.at:
            self.inode, self.at = inode, 0
        if not inode:
            return 0
        with self.path.open("rb") as file:
            file.seek(self.at)
            new = file.read(size - self.at)
        self.at = size
        return new.count(ERROR)


def round_of(address: str, logs: "list[Log]", since: float, ports: "list[int]") -> "dict[str, object]":
    """What one look sees: deliveries and errors since the last one, the queue and the ports as they are."""
    told = deliveries(since)
    open_now = answering(address)
    counted = {
        outcome: None if told is None else sum(one == outcome for _, one in told)
        for outcome in ("sent", "deferred", "bounced")
    }
    return dict(
        counted,
        time=time.time(),
        queue=queued(),
        errors=sum(log.errors() for log in logs),
        silent=[port for port in ports if port not in open_now],
        slowest=max((delay for delay, one in told or () if one == "sent"), default=None),
    )


def main(file: str, address: str, seconds: float, pause: float, paths: "list[str]") -> None:
    began, logs, ports = time.time(), [Log(path) for path in paths], answering(address)
    with Path(file).open("w") as out:
        since = began
        while True:
            left = began + seconds - time.time()
            time.sleep(max(0.0, min(pause, left)))
            now = time.time()
            row = round_of(address, logs, since, ports)
            since = now
            out.write(json.dumps(row) + "\n")
            out.flush()
            print(
                "{:.0f} of {:.0f} min: {} in the queue, {} errors".format(
                    (now - began) / 60, seconds / 60, row["queue"], row["errors"]
                )
            )
            sys.stdout.flush()
            if now - began >= seconds:
                return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), sys.argv[5:])
