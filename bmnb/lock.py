"""The lock that a run takes on every server it works on, and its signs of life."""

from __future__ import annotations

import getpass
import os
import socket
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psutil

from bmnb.errors import ActionFailed, BmnbError, ConnectionFailed, Stopped
from bmnb.journal import Journal, Line
from bmnb.language import _
from bmnb.ledger import rolling_back
from bmnb.phrases import phrase
from bmnb.remote import Servers
from bmnb.remote.locks import GONE, NOT_OURS

BEAT_SECONDS = 5.0


FOLDER = (
    "{host}: {folder} is another run's by now, which has set aside what this one kept there, so that this one "
    "neither goes on nor back there\n  → end the other run; then put the folder of this one, {folder}-until-…, back"
)


STALE = (
    "{host}: another copy of this run has gone on there since; this journal does not know of it\n"
    "  → go on with that copy, or bring its folder here: nothing was done"
)


PUT_BACK = (
    "{host} has no trace of “{title}”, which was done there at {time} UTC: the server was put back to how it was "
    "before, from a snapshot for instance, or /var/lib/bmnb was removed\n"
    "  → nothing was done; go back with bmnb rollback, then begin a new run"
)


def session() -> str:
    """This process: who, on which machine, and its number."""
    return f"{getpass.getuser()}@{socket.gethostname()} {os.getpid()}"


@dataclass(frozen=True)
class Holder:
    """Who holds a lock; `silent` is the seconds since the last sign of life."""

    run: str
    session: str
    title: str
    since: str
    silent: int

    @property
    def gone(self) -> bool:
        """Whether it was a process on this machine that is no more."""
        who, _, number = self.session.rpartition(" ")
        here = who == session().rpartition(" ")[0]
        return here and number.isdigit() and not psutil.pid_exists(int(number))


class Lock:
    """Held on the servers of a step while the step is under way, and kept until the run's end.

    `folder` is the run's own on each server: another run's under that name is not touched.
    """

    def __init__(self, servers: Servers, journal: Journal, run: str, title: str, folder: str = "") -> None:
        self.servers, self.journal, self.run, self.title = servers, journal, run, title
        self.folder = folder
        self.hosts: list[str] = []
        self._end = threading.Event()

    def take(self, hosts: Iterable[str], let_go: Collection[str] = ()) -> None:
        """Take the lock of each server. Raise Stopped where another run, or another person, holds it.

        Those that were `let_go` may be out of reach.
        """
        for host in hosts:
            try:
                holder = self._try(host, "")
            except ConnectionFailed:
                if host in let_go:
                    continue
                raise
            if holder and holder.run == self.run and holder.gone:
                holder = self._try(host, holder.session)
            if holder:
                raise Stopped(refusal(host, holder, self.run))
            if host not in self.hosts:
                self.hosts.append(host)

    def _try(self, host: str, gone: str) -> Holder | None:
        """Take the lock, or return who holds it."""
        new = not self.journal.last("locked", server=host)
        last = self._last_done(host)
        tried = self.servers.take(
            host, self.run, session(), self.title, gone, self.folder, new, last["unit"] if last else ""
        )
        if last and tried.exit == GONE:
            when = last["time"][:19].replace("T", " ")
            raise Stopped(_(PUT_BACK).format(host=host, title=phrase(last["title"]), time=when))
        if tried.exit == NOT_OURS:
            raise Stopped(_(FOLDER).format(host=host, folder=self.folder))
        if tried.exit not in (0, 3):
            raise ActionFailed(f"{host}: its lock cannot be taken: {tried.stderr.strip()}")
        head, *lines = tried.stdout.splitlines() or [""]
        before = _holder(lines) if len(lines) == 5 else None
        if tried.exit == 3:
            return before
        if not self._goes_on(head):
            self.servers.leave(host, session())
            raise Stopped(_(STALE).format(host=host))
        # ours already, and nowhere recorded: the first answer was lost
        if new or before is None or before.session != session():
            taken_over = {"after": before.session} if before and before.session != session() else {}
            aside = {"aside": tried.stderr.strip()} if tried.stderr.strip() else {}
            self.journal.write("locked", server=host, session=session(), **taken_over, **aside)
        return None

    def _last_done(self, host: str) -> Line | None:
        """The start of the command that has ended on the server last; the way back asks for no trace of any.

        After a farewell nobody has seen whether it was begun.
        """
        if rolling_back(self.journal):
            return None
        ended = set[str]()
        for line in reversed(self.journal.lines):
            if line["event"] == "released" and line["server"] == host:
                return None
            if line["event"] == "done" and line["kind"] == "command" and line["server"] == host:
                ended.add(line["action"])
            if line["event"] == "started" and line["action"] in ended and "farewell" not in line:
                return line
        return None

    def _goes_on(self, head: str) -> bool:
        """Whether this journal has the line of what the run has started on the server last."""
        run, number, digest = head.split() if head else ("", "0", "")
        return run != self.run or any(self.journal.events(number=int(number), sha256=digest))

    def __enter__(self) -> Lock:
        self._end = threading.Event()
        threading.Thread(target=self._live, args=(self._end,), daemon=True).start()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._end.set()
        if error:  # what has stopped is gone on with by whoever comes first
            self.leave()

    def leave(self) -> None:
        """Let another session of the run go on at once, where the server can still be reached."""
        for host in self.hosts:
            try:
                if self.servers.connected(host):
                    self.servers.leave(host, session())
            except ConnectionFailed:
                continue  # half a minute of silence does the same

    def release(self) -> None:
        """Give the locks back that the run has taken, in whichever session, where the server can still be reached."""
        for host in dict.fromkeys(line["server"] for line in self.journal.events("locked")):
            try:
                if host not in self.hosts:
                    self.take([host])
                if self.servers.release(host, session(), self.run).ok:
                    self.journal.write("released", server=host)
            except BmnbError:
                continue  # such as an origin that has lost its address: see what stays, in docs/safety.md
        self.hosts.clear()

    def _live(self, end: threading.Event) -> None:
        while not end.wait(BEAT_SECONDS):
            for host in self.hosts:
                try:
                    if self.servers.connected(host):
                        self.servers.beat(host, session())
                except BmnbError:
                    continue  # out of reach for now: the step's own commands tell of it


def _holder(lines: list[str]) -> Holder:
    run, who_, title, since, silent = lines
    return Holder(run, who_, title, since, int(silent))


def refusal(host: str, holder: Holder, run: str) -> str:
    """Why a server is not worked on, and what to do."""
    if holder.run == run:
        held = _(
            "{host} is being worked on for this very run by {holder} since {since}; last sign of life {silent} s ago"
        )
        remedy = _("→ go on where it is open, or close it there; half a minute later it goes on from here")
    else:
        held = _(
            "{host} is held by another run: {title}, by {holder} since {since}; last sign of life {silent} s ago"
        )
        remedy = _("→ wait for its end; or, if it is given up, break its lock: bmnb unlock RUN {host}")
    words = {"host": host, "holder": holder.session, **vars(holder)}
    return f"{held}\n  {remedy}".format(**words)
