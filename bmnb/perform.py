"""Doing one action on its server, with a line in the journal before and after."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bmnb.errors import ActionFailed, BmnbError, ConnectionFailed, Stopped
from bmnb.failure import INTERRUPTED, failure
from bmnb.journal import Journal, Line
from bmnb.logs import Logs
from bmnb.observe import Observer
from bmnb.phrases import phrase
from bmnb.progress import Job
from bmnb.remote import Look, Servers, UnitState
from bmnb.steps import Check, Command, Condition, Manual, Result, Row, Single, kind

Numbered = tuple[str, Single]

ATTEMPTS = 3
"""How often a command that may be started again is started in one go."""
OUT_OF_REACH_SECONDS = 600.0
"""How long a server may be out of reach while a command runs on it."""


LET_GO = "the server is out of reach by now, as it has to be"
UNMADE = "see why it could not be looked at, and have it looked at again: nothing is known to be wrong"


class Interrupted(Exception):
    """The operator has interrupted the cell while a command runs on its server."""


@dataclass(frozen=True)
class Outcome:
    """How an action ended: done, skipped or failed, what was seen, and what to do about it."""

    action: Single
    status: str
    seen: str = ""
    row: Row = field(default_factory=dict)
    seconds: float = 0.0
    items: tuple[Row, ...] = ()
    parts: Sequence[Row] = ()
    made: bool = True

    @property
    def reopens(self) -> str:
        """The earlier step of which the proof no longer holds."""
        return getattr(self.action, "reopens", "") if self.status == "failed" and self.made else ""

    @property
    def message(self) -> str:
        """What the operator reads: server, command, how it ended, what to do next.

        A remedy is for what is wrong; of what could not be looked at nobody knows.
        """
        where = self.action.host if isinstance(self.action.host, str) else " and ".join(self.action.host)
        remedy = getattr(self.action, "remedy", "") if self.made else UNMADE
        return f"{phrase(self.action.title)} ({where}): {phrase(self.seen)}" + (
            f"\n  → {phrase(remedy)}" if remedy else ""
        )


class Performer:
    """Performs the actions of one step of one run."""

    def __init__(
        self,
        servers: Servers,
        journal: Journal,
        logs: Logs,
        run: str,
        answers: dict[str, str],
        jobs: Mapping[str, Job],
    ) -> None:
        self.servers, self.journal, self.logs, self.run, self.answers = servers, journal, logs, run, answers
        self.jobs = jobs
        self.interrupted = threading.Event()
        self.observer = Observer(servers, journal, logs, answers, jobs, self.interrupted)

    def perform(self, once: bool, numbered: Numbered) -> Outcome:
        """Do an action, given with its key, unless the journal says that it is done."""
        key, action = numbered
        job = self.jobs[key]
        job.start()
        try:
            outcome = self._perform(key, action, once)
        except BmnbError:
            job.end("failed")
            raise
        job.end(outcome.status)
        return outcome

    def _perform(self, key: str, action: Single, once: bool) -> Outcome:
        self._pin(action)
        if isinstance(action, Command):
            recorded = self._recorded(key, action)
            if recorded is not None:
                return recorded
        if action.when and not self._holds(action.when):
            return self._end(key, Outcome(action, "skipped", action.when.otherwise))
        if isinstance(action, Command):
            return self._command(key, action, once)
        if isinstance(action, Check) and self._is_let_go(key, action):
            return self._end(key, Outcome(action, "skipped", LET_GO))
        self.journal.write(
            "started",
            action=key,
            kind=kind(action),
            server=_servers(action),
            title=action.title,
            line=_text(action),
        )
        started = time.monotonic()
        verdict = self.observer.observe(key, action)
        seconds = round(time.monotonic() - started, 1)
        status = "done" if verdict.holds else "failed"
        told = verdict.row, seconds, verdict.items, verdict.parts, verdict.made
        ended = Outcome(action, status, verdict.seen, *told)
        return self._end(key, ended)

    def _is_let_go(self, key: str, check: Check) -> bool:
        """Whether a later command of the step has put a server of the check out of reach by now."""
        later = list(self.jobs)[list(self.jobs).index(key) :]
        return any(
            isinstance(farewell := self.jobs[one].action, Command)
            and farewell.farewell
            and not farewell.moves_to
            and farewell.host in dict(check.observations)
            and self.journal.standing("started", action=one)
            for one in later
        )

    # commands

    def _recorded(self, key: str, command: Command) -> Outcome | None:
        ended = self.journal.standing("done", action=key, script=_digest(command))
        if ended is None or command.ensure or (command.proof and not self._holds(command.proof)):
            return None
        return Outcome(command, "done", ended["seen"], ended["row"], ended["seconds"])

    def _command(self, key: str, command: Command, once: bool) -> Outcome:
        for _ in range(ATTEMPTS):
            outcome, status = self._attempt(key, command, once)
            if status not in command.again:
                break
        return outcome

    def _attempt(self, key: str, command: Command, once: bool) -> tuple[Outcome, int | None]:
        unit, result = self._under_way(key, command, once)
        if unit is None:
            # of two copies of a journal each has its own: what the one has started is no result for the other
            own = f"{self.run}{secrets.token_hex(4)}"
            unit = (
                f"{own}-{key.replace('/', '-')}-{len(list(self.journal.events('started', action=key))) + 1}"
            )
            script = self._fed(command, unit)
            line = self._started(key, command, unit)
            head = f"{self.run} {line['number']} {line['sha256']}"
            patience = 0.0 if command.farewell else OUT_OF_REACH_SECONDS
            self.servers.start(command.host, unit, script, patience=patience, head=head)
            if command.farewell:
                self._move(command)
        if result is None:
            result = self._follow(command, unit, self.jobs[key])
        self._log(key, command, result)
        outcome = self._outcome(command, result)
        ended = self._end(key, outcome, exit=result.exit, script=_digest(command))
        if outcome.status == "done":
            self._move(command)
        return ended, result.exit

    def _move(self, command: Command) -> None:
        if command.moves_to:
            where = {"address": command.moves_to, "via": command.moves_via}
            self.journal.write("moved", server=command.host, **where)
            self.servers.reach(command.host, command.moves_to, command.moves_via)

    def _started(self, key: str, command: Command, unit: str) -> Line:
        return self.journal.write(
            "started",
            action=key,
            kind=kind(command),
            server=command.host,
            title=command.title,
            line=command.line,
            unit=unit,
            **({"farewell": True} if command.farewell else {}),
        )

    def _under_way(self, key: str, command: Command, once: bool) -> tuple[str | None, Result | None]:
        """The unit of an earlier start whose end the journal does not have, if it is there to go on with."""
        started = self.journal.standing("started", action=key)
        if started is None or self._has_ended(key, started):
            return None, None
        unit = started["unit"]
        try:
            state = self.servers.state(command.host, unit)
        except ConnectionFailed:
            if command.farewell:
                return unit, Result(command.host, command.line, 0)
            raise
        if state in (UnitState.RUNNING, UnitState.ENDED):
            return unit, None
        if state is UnitState.LOST and command.farewell:
            return unit, Result(command.host, command.line, 0)
        if state is UnitState.LOST and once:
            self._ask_whether_to_repeat(key, command)
        return None, None

    def _has_ended(self, key: str, started: Line) -> bool:
        return any(
            line["number"] > started["number"] and line["event"] in ("done", "failed")
            for line in self.journal.events(action=key)
        )

    def _ask_whether_to_repeat(self, key: str, command: Command) -> None:
        if self.answers.get(key) != "again":
            raise Stopped(
                f"{command.title} ({command.host}) was started and nobody knows how it ended: the server was "
                f"restarted or the command killed.\n  $ {command.line}\n"
                f"  → look on the server, then answer `{key}: again` under answers to have it repeated"
            )
        self.journal.write("answer", key=key, answer="again")

    def _fed(self, command: Command, unit: str) -> str:
        """The command's script with its input: a text, or the output of its feed."""
        if command.text:
            return f"exec <<'BMNB-FEED'\n{command.text.rstrip()}\nBMNB-FEED\n{command.script}"
        if command.feed is None:
            return command.script
        host, line = command.feed
        path = self.servers.feed(host, line, command.host, unit)
        return f"exec < {path}; rm {path}\n{command.script}"

    def _follow(self, command: Command, unit: str, job: Job) -> Result:
        if command.farewell and not command.moves_to:
            seen = self.servers.glance(command.host, unit)
            return replace(seen, line=command.line) if seen else Result(command.host, command.line, 0)
        try:
            result = self.servers.follow(
                command.host,
                unit,
                on_look=lambda look: self._looked(command, job, look),
                patience=OUT_OF_REACH_SECONDS,
            )
        except Interrupted:
            self.servers.stop(command.host, unit)
            return Result(command.host, command.line, None, stderr=INTERRUPTED, seconds=job.seconds)
        return replace(result, line=command.line) if result else Result(command.host, command.line, None)

    def _looked(self, command: Command, job: Job, look: Look) -> None:
        job.hear(look.text, look.silent, look.elapsed)
        if gauge := command.gauge:
            done, total, at = (self._told(command.host, line) for line in (gauge.done, gauge.total, gauge.at))
            job.is_at(at)
            if done.isdigit():
                job.gauge(int(done), int(total) if total.isdigit() else 0)
        if self.interrupted.is_set():
            raise Interrupted

    def _told(self, host: str, line: str) -> str:
        """What a line prints; nothing where there is no line, or it fails."""
        result = self.servers.run(host, line) if line else None
        return result.stdout.strip() if result and result.ok else ""

    def _outcome(self, command: Command, result: Result) -> Outcome:
        seconds = round(result.seconds, 1)
        if result.exit not in command.accept:
            return Outcome(command, "failed", failure(result), {}, seconds)
        row = command.read(result) if command.read else {}
        return Outcome(
            command, "done", "", row, seconds, parts=command.parts(result) if command.parts else ()
        )

    # conditions

    def _holds(self, condition: Condition) -> bool:
        result = self.servers.ask(condition.host, condition.line)
        if result.exit not in (0, 1):
            raise ActionFailed(failure(result))
        return result.ok

    # the record

    def _end(self, key: str, outcome: Outcome, **facts: Any) -> Outcome:
        action = outcome.action
        self.journal.write(
            outcome.status,
            action=key,
            kind=kind(action),
            server=_servers(action),
            title=action.title,
            seen=outcome.seen,
            row=dict(outcome.row),
            seconds=outcome.seconds,
            **({"items": [dict(item) for item in outcome.items]} if outcome.items else {}),
            **({"parts": [dict(part) for part in outcome.parts]} if outcome.parts else {}),
            **({} if outcome.made else {"made": False}),
            **facts,
        )
        return outcome

    def _log(self, key: str, command: Command, result: Result) -> None:
        self.logs.append(key, f"$ {command.line}\n{result.stdout}{result.stderr}exit {result.exit}\n")

    def _pin(self, action: Single) -> None:
        """Record at first contact which machine a name leads to; from then on it must be that one."""
        hosts = (action.host,) if isinstance(action.host, str) else action.host
        for host in hosts:
            if isinstance(action, Manual) or self.journal.last("pinned", server=host):
                continue
            identity = self.servers.identity(host)
            self.journal.write(
                "pinned",
                server=host,
                machine=identity.machine_id,
                host_key=identity.host_key,
                hostname=identity.hostname,
                system=identity.system,
                tools=list(identity.tools),
            )
            self.servers.pin(host, identity.machine_id)


def _digest(command: Command) -> str:
    return hashlib.sha256((command.script + command.text).encode()).hexdigest()[:16]


def _servers(action: Single) -> str:
    return action.host if isinstance(action.host, str) else ", ".join(action.host)


def _text(action: Single) -> str:
    line = action.line
    return line if isinstance(line, str) else "\n".join(line)
