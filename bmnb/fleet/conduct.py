"""A fleet from its first run to its last: who is started and what came of it, all of it on disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bmnb import forecast
from bmnb.fleet import notices
from bmnb.fleet.course import Course
from bmnb.fleet.members import Member, Members
from bmnb.fleet.prepare import prepare
from bmnb.fleet.store import (
    DONE,
    FAILED,
    LOST,
    MISSED,
    PLANNED,
    STARTED,
    STOPPED,
    WAITING,
    Client,
    Store,
    now,
)
from bmnb.fleet.turns import Candidate, clock, turn
from bmnb.fleet.work import Job, Lost, Outcome
from bmnb.remote.locks import SILENT_SECONDS
from bmnb.steps import Procedure

LOOK_SECONDS = 1.0
LOST_SECONDS = SILENT_SECONDS + 5.0
"""A run whose worker is gone is taken up again when its locks on the servers have been silent for long enough."""
ATTEMPTS = 3
ENDS = {0: DONE, 3: WAITING}


class Places(Protocol):
    """Where jobs run. `shared` tells whether all machines see the runs; `machines` are their free slots."""

    shared: bool

    def machines(self) -> Mapping[str, int]: ...
    def free(self) -> int: ...
    def submit(self, job: Job, machine: str = "") -> None: ...
    def ended(self) -> Iterator[tuple[str, Outcome | Lost]]: ...
    def stop(self, names: list[str]) -> None: ...
    def wait(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class Wish:
    """What is wanted of the fleet: up to which phase, how many at once; `command` runs a job instead of ours.

    With `again` who has made all hot passes makes one more.
    """

    through: str = ""
    at_once: int = 1
    command: tuple[str, ...] = ()
    again: bool = False


class Conductor:
    """Works through the clients. `tell` gets a line for each thing that happens, `notify` its kind and the client."""

    def __init__(
        self,
        procedure: Procedure,
        members: Members,
        store: Store,
        places: Places,
        wish: Wish,
        tell: Callable[[str], None],
        notify: Callable[[str, str], None],
        ending: threading.Event,
    ) -> None:
        self.procedure, self.store, self.places, self.wish = procedure, store, places, wish
        self.members = {one.name: one for one in members.all}
        self.options = members.notices
        self.limits = {"": wish.at_once, **members.limits}
        self.tell, self.notify, self.ending = tell, notify, ending
        self.course = Course(procedure, wish.through)
        self.windowed = bool(self.course.downtime)
        self._foretold = {(one["client"], one["kind"]) for one in store.notices()}
        self._again: dict[str, datetime] = {}
        self._notices: list[tuple[str, str]] = []
        self._jobs: list[tuple[Job, str]] = []
        self._machines: dict[str, int] = {}
        self._asked = set[str]()

    def run(self) -> int:
        """Work until nothing is left that can be done now. Return the exit code of the command.

        Raise BmnbError where the state cannot be kept, or the scheduler is gone: runs that are under way go on.
        """
        with self.store.together():
            prepare(self.store, self.procedure, self.course, self.members.values(), self.wish.again)
        while self._round():
            self.places.wait(LOOK_SECONDS)
        states = {one.state for one in self._clients()}
        return 1 if states & {FAILED, LOST} else 0 if states <= {DONE} else 3

    def _round(self) -> bool:
        """Take in what has ended, start whose turn it is. Tell whether there is more to wait for."""
        with self.store.together():
            more = self._look()
        for job, machine in self._jobs:
            self.places.submit(job, machine)
        self._jobs.clear()
        for kind, name in self._notices:
            self.notify(kind, name)
        self._notices.clear()
        return more

    def _look(self) -> bool:
        for name, outcome in self.places.ended():
            self._take(self.store.client(name), outcome)
        self._stop()
        self._machines = {} if self.places.shared else dict(self.places.machines())
        for one in self._clients():
            if one.state == PLANNED and not self._reachable(one):
                self._set(one, LOST, f"its run is on {one.machine}, which has no worker now")
        clients = self._clients()
        self._foretell(clients)
        free = min(self.places.free(), self.wish.at_once - sum(one.state == STARTED for one in clients))
        decided = turn([self._candidate(one) for one in clients], datetime.now(UTC), free, self.limits)
        by_name = {one.name: one for one in clients}
        for name, why in decided.missed.items():
            self._set(by_name[name], MISSED, why)
        for name, why in decided.held.items():
            if by_name[name].state == PLANNED and by_name[name].why != why:
                self.store.change(name, why=why)
        for candidate in decided.start:
            self._start(by_name[candidate.client.name], candidate)
        return bool(decided.start) or decided.later or any(one.state == STARTED for one in clients)

    def _foretell(self, clients: list[Client]) -> None:
        """Tell of the windows that come, each once, also where the command was started again."""
        for one in clients if self.windowed else []:
            wishes, told = self.members[one.name].wishes, (one.name, notices.BEFORE)
            if (
                one.state == PLANNED
                and told not in self._foretold
                and notices.due(wishes, self.options, datetime.now(UTC))
            ):
                self._foretold.add(told)
                self._notices.append((notices.BEFORE, one.name))

    def _clients(self) -> list[Client]:
        return [one for one in self.store.clients() if one.name in self.members]

    def _candidate(self, client: Client) -> Candidate:
        member = self.members[client.name]
        bounded = self.windowed and member.wishes.not_after is not None
        leg = self.course.following(client.reached, bounded)
        if client.state == LOST and client.attempts < ATTEMPTS and self._reachable(client):
            client = replace(client, state=PLANNED)
        return Candidate(
            client,
            member.wishes,
            leg,
            self.windowed,
            lambda: self._seconds(client, member),
            self._again.get(client.name),
        )

    def _reachable(self, client: Client) -> bool:
        """Whether a worker has the run's folder; one that was never begun may go anywhere."""
        return self.places.shared or not client.machine or client.machine in self._machines

    def _seconds(self, client: Client, member: Member) -> float | None:
        """How long the rest takes: by past runs, and by what the inventory says of the downtime; the longer one."""
        past = forecast.past_seconds(self.procedure, self.store.folder)
        cut = self.course.downtime & set(self.course.left(client.reached))
        known = [self.course.seconds(client.reached, past), member.wishes.downtime if cut else None]
        return max((one for one in known if one is not None), default=None)

    def _start(self, client: Client, candidate: Candidate) -> None:
        member = self.members[client.name]
        values = {**member.values, "runs": str(self.store.runs), "folder": client.folder}
        machine = self._machine(client)
        first = not client.attempts and client.state != LOST
        self.store.change(
            client.name,
            state=STARTED,
            why="",
            attempts=client.attempts + 1,
            machine=machine or client.machine,
            began=now() if first or not client.began else client.began,
            ended="",
        )
        place = str(self.store.folder)
        job = Job(
            client.name, self.procedure.name, values, candidate.leg, place, self.wish.command, self.wish.again
        )
        self._jobs.append((job, machine))
        self.tell(f"{client.name}: started, through {candidate.leg}")
        if first:
            self._notices.append((notices.START, client.name))

    def _machine(self, client: Client) -> str:
        """The machine that must do a client's run: where its journal is, or else the least busy one."""
        if self.places.shared:
            return ""
        machine = client.machine or max(self._machines, key=lambda one: self._machines[one])
        self._machines[machine] -= 1
        return machine

    def _take(self, client: Client, outcome: Outcome | Lost) -> None:
        """Write down how a run's process ended."""
        self._asked.discard(client.name)
        if isinstance(outcome, Lost):
            self._lose(client, outcome.why)
            return
        self.store.change(
            client.name,
            exit=outcome.exit,
            machine=outcome.machine or client.machine,
            cpu_seconds=client.cpu_seconds + outcome.cpu_seconds,
            peak_mib=max(client.peak_mib, outcome.peak_mib),
        )
        if outcome.exit == 0:
            self._advance(client)
        elif client.stop:
            self._set(client, STOPPED, "stopped as a person asked")
        else:
            self._set(client, ENDS.get(outcome.exit, FAILED), outcome.said or f"ended with {outcome.exit}")

    def _advance(self, client: Client) -> None:
        """A leg is done: the client is done, or its next leg waits for its turn."""
        leg = self._candidate(client).leg
        self.store.change(client.name, reached=leg)
        if self.course.left(leg):
            self.store.change(client.name, state=PLANNED)
        else:
            self._set(client, DONE, "")

    def _lose(self, client: Client, why: str) -> None:
        if client.attempts < ATTEMPTS:
            self._again[client.name] = datetime.now(UTC) + timedelta(seconds=LOST_SECONDS)
            why += f"; is taken up again at {clock(self._again[client.name])}"
        self._set(client, LOST, why)

    def _set(self, client: Client, state: str, why: str) -> None:
        self.store.change(client.name, state=state, why=why, ended=now())
        self.tell(f"{client.name}: {state}{f': {why.splitlines()[0]}' if why else ''}")
        self._notices.append((notices.END if state == DONE else notices.TROUBLE, client.name))

    def _stop(self) -> None:
        """End in order what a person asked to end."""
        clients = self._clients()
        if self.ending.is_set():
            for one in clients:
                if one.state in (PLANNED, STARTED, LOST) and not one.stop:
                    self.store.change(one.name, stop=1)
            clients = self._clients()
        wanted = [one for one in clients if one.stop]
        started = [one.name for one in wanted if one.state == STARTED and one.name not in self._asked]
        if started:
            self.places.stop(started)
            self._asked |= set(started)
        for one in wanted:
            if one.state in (PLANNED, LOST):
                self._set(one, STOPPED, "stopped as a person asked")
