"""Watching from outside whether the service answers: SMTP, IMAP and HTTPS, once a second."""

from __future__ import annotations

import csv
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bmnb.files import append_text, private_folder
from bmnb.steps import Row

TIMEOUT = 2.0
GAP = 10.0
"""Seconds without a probe after which nobody was looking."""

Sample = tuple[datetime, bool]


@dataclass(frozen=True)
class Spell:
    """From the first probe with an answer, or without, to the first that says otherwise."""

    begin: datetime
    end: datetime
    answers: bool


@dataclass(frozen=True)
class Outage:
    """What was seen of a port: its first miss, when it answered again after the last one, seconds between."""

    port: str
    probes: int
    misses: int
    first: datetime | None
    back: datetime | None
    seconds: float


def _greeting(address: str, port: int, begin: bytes) -> bool:
    with socket.create_connection((address, port), TIMEOUT) as connection:
        connection.settimeout(TIMEOUT)
        return connection.recv(64).startswith(begin)


def _page(address: str, port: int) -> bool:
    # nginx answers 502 or 503 while BlueMind is away; the certificate may be self-signed, so that none of this
    # machine's authorities are loaded, second by second
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((address, port), TIMEOUT) as connection,
        context.wrap_socket(connection) as secure,
    ):
        secure.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return secure.recv(16).split(b" ")[1][:1] in (b"2", b"3")


PORTS: dict[str, Callable[[str], bool]] = {
    "SMTP 25": lambda address: _greeting(address, 25, b"220"),
    "IMAP 143": lambda address: _greeting(address, 143, b"* OK"),
    "HTTPS 443": lambda address: _page(address, 443),
}


class Probe:
    """Probes in the background whether one of the addresses answers; keeps a line a second and port on disk."""

    def __init__(self, addresses: Sequence[str], path: Path) -> None:
        self.addresses, self.path = addresses, path
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin, unless it is under way."""
        if self._threads:
            return
        self._stop.clear()
        with suppress(OSError):
            private_folder(self.path.parent)
            if self.path.exists() and not self.path.read_bytes().endswith(b"\n"):
                append_text(self.path, "\n")  # a crash cut the last line
        self._threads = [threading.Thread(target=self._watch, args=(port,), daemon=True) for port in PORTS]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(3 * TIMEOUT)
        self._threads = []

    def rows(self) -> list[Row]:
        """What was seen of each port, as a table for the notebook, at the time of UTC."""
        return [
            {
                "port": one.port,
                "probes": one.probes,
                "misses": one.misses,
                "first miss": f"{one.first:%H:%M:%S}" if one.first else "",
                "answers again": f"{one.back:%H:%M:%S}" if one.back else "",
                "seconds away": one.seconds,
            }
            for one in outages(self.path)
        ]

    def _watch(self, port: str) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            answers = any(answers_at(port, address) for address in self.addresses)
            line = f"{datetime.now(UTC).isoformat(timespec='milliseconds')},{port},{int(answers)}\r\n"
            # where the disk is full a second is missing, and the next one is looked at
            with suppress(OSError):
                append_text(self.path, line)
            self._stop.wait(max(0.0, 1.0 - (time.monotonic() - began)))


def outages(path: Path) -> list[Outage]:
    """What the probes saw of each port that they have looked at."""
    seen = read(path)
    return [_outage(port, seen[port]) for port in PORTS if port in seen]


def read(path: Path) -> dict[str, list[Sample]]:
    """What was seen of each port, in the order of time; a line that a crash cut is left out."""
    seen: dict[str, list[Sample]] = {}
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            for line in csv.reader(file):
                if len(line) == 3 and line[2] in ("0", "1"):
                    seen.setdefault(line[1], []).append((datetime.fromisoformat(line[0]), line[2] == "1"))
    return seen


def spells(samples: list[Sample]) -> list[Spell]:
    """Stretches of the same answer. Where no probe looked for longer than GAP seconds, there is none."""
    found: list[Spell] = []
    for moment, answers in samples:
        near = bool(found) and (moment - found[-1].end).total_seconds() <= GAP
        if near:
            found[-1] = replace(found[-1], end=moment)
        if not near or found[-1].answers != answers:
            found.append(Spell(moment, moment, answers))
    return found


def answers_at(port: str, address: str) -> bool:
    try:
        return PORTS[port](address)
    except (OSError, IndexError):
        return False


def _outage(port: str, seen: list[Sample]) -> Outage:
    misses = [moment for moment, answers in seen if not answers]
    back = next((moment for moment, answers in seen if misses and moment > misses[-1] and answers), None)
    end = back or (seen[-1][0] if misses else None)
    seconds = round((end - misses[0]).total_seconds(), 1) if misses and end else 0.0
    return Outage(port, len(seen), len(misses), misses[0] if misses else None, back, seconds)
