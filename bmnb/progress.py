"""How far an action has come, read from what its command prints."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from bmnb import redact
from bmnb.language import _
from bmnb.phrases import phrase
from bmnb.steps import Single

N = TypeVar("N", int, float)

LAST_LINES = 3
LEAST = 0.02
"""The share that must be done before it tells how long the rest takes."""

RSYNC = re.compile(
    r"(?P<bytes>[\d,.]+) +(?P<percent>\d+)% +(?P<rate>\S+/s) +[\d:]+"
    r"(?: \(xfr#\d+, (?:to|ir)-chk=(?P<remain>\d+)/(?P<files>\d+)\))?"
)
"""A line of rsync's --info=progress2: bytes and their share, rate, files still to look at. Its time is that
which is left in some lines, and that which has passed in others."""

PART = re.compile(r"(?P<name>\S+): (?P<done>\d+) of (?:about )?(?P<all>\d+) (?P<unit>files|rows)")
"""How the fast engine tells of a tree, and PostgreSQL's view of a table."""
WHOLE = re.compile(r"(?P<done>\d+) of (?P<all>\d+) bytes")


@dataclass(frozen=True)
class Part:
    """How many files or rows of a tree or table have come, of those that are to come."""

    name: str
    done: int
    all: int
    unit: str

    @property
    def share(self) -> float:
        return min(1.0, self.done / max(1, self.all))

    @property
    def counted(self) -> str:
        about = "about " if self.unit == "rows" else ""
        return phrase(f"{self.done:,} of {about}{self.all:,} {self.unit}")


def parts(lines: Iterable[str]) -> Iterator[Part]:
    """The lines that tell of a part."""
    for told in filter(None, map(PART.fullmatch, lines)):
        yield Part(told["name"], int(told["done"]), int(told["all"]), told["unit"])


@dataclass(frozen=True)
class Reading:
    """`share` is 0 to 1, None where nobody knows the whole; numbers of bytes and files, bytes per second."""

    share: float | None = None
    bytes: int | None = None
    files: int | None = None
    rate: float | None = None


def rsync(text: str) -> Reading | None:
    """The last state that rsync told. Files count before bytes, which leave out what is equal already."""
    found = list(RSYNC.finditer(text))
    if not found:
        return None
    last = found[-1]
    count = next((one for one in reversed(found) if one["files"]), None)
    files = int(count["files"]) - int(count["remain"]) if count else None
    share = files / int(count["files"]) if count and files is not None else int(last["percent"]) / 100
    return Reading(share, int(re.sub(r"[,.]", "", last["bytes"])), files, _rate(last["rate"]))


def _rate(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([kMGT]?)B/s", text).groups()  # type: ignore[union-attr]
    return float(number) * 1024.0 ** " kMGT".index(unit or " ")


def _most(*numbers: N | None) -> N | None:
    return max((one for one in numbers if one is not None), default=None)


def _counts(line: str) -> bool:
    return bool(PART.fullmatch(line) or WHOLE.fullmatch(line))


class Job:
    """One action of a step, as it is under way. Neither its share nor its bytes ever fall."""

    def __init__(self, action: Single) -> None:
        self.action = action
        self.status = "planned"
        self.reading = Reading()
        self.lines: list[str] = []
        self.at = ""
        self.parts: dict[str, Part] = {}
        self.began = self.ended = self.heard = 0.0
        self._gauged: tuple[float, int] | None = None

    def start(self) -> None:
        self.status, self.began, self.heard = "started", time.monotonic(), time.monotonic()

    def end(self, status: str) -> None:
        self.status, self.ended = status, time.monotonic()

    def hear(self, text: str, silent: float, elapsed: float) -> None:
        """Take what the command printed last, how long ago that was, and how long it runs, in seconds."""
        now = time.monotonic()
        self.heard, self.began = now - silent, now - elapsed
        # of a long output only the end is seen: its first line may be cut
        said = [line.strip() for line in re.split(r"[\r\n]", text)]
        self.lines = [redact.text(line) for line in said if line and not _counts(line)][-LAST_LINES:]
        if told := rsync(text):
            self._take(told)
        self._count(said[1:])

    def gauge(self, done: int, total: int) -> None:
        """Take a measured number of bytes; a `total` of 0 is unknown."""
        self._take(Reading(min(1.0, done / total) if total else None, done, None, self._rate(done)))

    def is_at(self, said: str) -> None:
        """Take in words what the command is at; tables with their rows are parts, those under way alone."""
        lines = said.splitlines()
        self.parts = {one.name: one for one in parts(lines)}
        self.at = "\n".join(line for line in lines if not PART.fullmatch(line))

    def _count(self, said: list[str]) -> None:
        """Take what the fast engine says: the files of each tree, and the bytes of all."""
        self.parts |= {one.name: one for one in parts(said)}
        sizes = [told for told in map(WHOLE.fullmatch, said) if told]
        if not sizes:
            return
        done, total = int(sizes[-1]["done"]), int(sizes[-1]["all"])
        files = sum(one.done for one in self.parts.values())
        of_files = files / max(1, sum(one.all for one in self.parts.values()))
        # many small files and a few large ones both move it
        self._take(Reading((of_files + done / max(1, total)) / 2, done, files, self._rate(done)))

    def _rate(self, done: int) -> float:
        """Bytes a second since the number of bytes was taken last."""
        now = time.monotonic()
        before = self._gauged or (self.began, 0)
        self._gauged = (now, done)
        return max(0, done - before[1]) / max(now - before[0], 0.1)

    def _take(self, told: Reading) -> None:
        before = self.reading
        self.reading = Reading(
            _most(told.share, before.share), _most(told.bytes, before.bytes), told.files, told.rate
        )

    @property
    def left(self) -> float | None:
        """Seconds that are left if it goes on as it did; None where too little is done to tell."""
        part = self.reading.share
        return self.seconds * (1 - part) / part if part and part > LEAST else None

    @property
    def over(self) -> bool:
        return self.status not in ("planned", "started")

    @property
    def seconds(self) -> float:
        return (self.ended or time.monotonic()) - self.began if self.began else 0.0

    @property
    def silent(self) -> float:
        return time.monotonic() - self.heard


def share(jobs: list[Job]) -> float:
    """How much of a step is done: actions that are over count whole, those under way by their share."""
    return sum(1.0 if job.over else job.reading.share or 0.0 for job in jobs) / max(1, len(jobs))


def words(job: Job) -> str:
    """How far an action has come as a whole, in one line."""
    told = job.reading
    said = [
        f"{told.share:.0%}" if told.share is not None else "",
        phrase(job.at).replace("\n", "; "),
        _("{number} files").format(number=f"{told.files:,}") if told.files else "",
        size(told.bytes) if told.bytes is not None else "",
        f"{size(told.rate)}/s" if told.rate else "",
        _("{time} left").format(time=clock(job.left)) if job.left is not None else "",
        _("since {time}").format(time=clock(job.seconds)),
        _("last output {seconds} s ago").format(seconds=f"{job.silent:.0f}"),
    ]
    return ", ".join(part for part in said if part)


def size(number: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:,.1f} GB"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
