"""What an action that changes nothing by a command sees: checks, calls of the API, answers of a person."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bmnb.answers import is_signed, settles
from bmnb.bluemind.paths import TOKEN
from bmnb.errors import ActionFailed, ConnectionFailed
from bmnb.failure import failure
from bmnb.journal import Journal
from bmnb.logs import Logs
from bmnb.progress import Job
from bmnb.redact import Secret
from bmnb.remote import Servers
from bmnb.steps import Call, Check, Manual, Result, Verdict

FIRST_POLL_SECONDS, POLL_SECONDS = 0.25, 2.0
"""How soon a check that does not hold yet is made again: at first, and at most once it has been a while."""
TASK_SECONDS = 1800.0
UNREADABLE = (ValueError, IndexError, KeyError, TypeError)
"""What a check raises where it cannot read what a server printed; it could not be made then."""


class Observer:
    """Sees for the actions of one step of one run what is so on the servers."""

    def __init__(
        self,
        servers: Servers,
        journal: Journal,
        logs: Logs,
        answers: dict[str, str],
        jobs: Mapping[str, Job],
        interrupted: threading.Event,
    ) -> None:
        self.servers, self.journal, self.logs, self.answers = servers, journal, logs, answers
        self.jobs, self.interrupted = jobs, interrupted

    def observe(self, key: str, action: Check | Call | Manual) -> Verdict:
        if isinstance(action, Manual):
            return self._answered(action)
        look: Callable[[], Verdict] = (
            (lambda: self._checked(action))
            if isinstance(action, Check)
            else (lambda: self._called(key, action))
        )
        verdict = until(look, action.patience, self.interrupted)
        return self._decided(action.decision, verdict) if isinstance(action, Check) else verdict

    def _decided(self, key: str, verdict: Verdict) -> Verdict:
        """What differs may be accepted on record, by the sum of just these items, by somebody, for a reason."""
        if verdict.holds or not key or not verdict.items or verdict.accepting == "":
            return verdict
        what = verdict.accepting or repr([sorted(item.items()) for item in verdict.items])
        seen = hashlib.sha256(what.encode()).hexdigest()[:8]
        recorded = [line["answer"] for line in self.journal.events("answer") if line["key"] == key]
        answer = next((one for one in (*recorded, self.answers.get(key, "")) if accepts(seen, one)), "")
        if not answer:
            wanted = f"\n  → or accept just these: answer `{key}: {seen} NAME, REASON`"
            return replace(verdict, seen=f"{verdict.seen}{wanted}")
        if answer not in recorded:
            self.journal.write("answer", key=key, answer=answer)
        return replace(verdict, holds=True, seen=f"accepted by {key}: {answer}; {verdict.seen}")

    def _checked(self, check: Check) -> Verdict:
        given = self._fed(check.feed) if check.feed else check.text

        def look(host: str, line: str) -> Result:
            if check.at:
                return self.servers.run_at(host, check.at, line, check.via)
            return self.servers.run(host, line, stdin=given)

        return judged(check, [look(host, line) for host, line in check.observations])

    def _fed(self, source: tuple[str, str]) -> str:
        told = self.servers.run(*source)
        if not told.ok:
            raise ActionFailed(failure(told))
        return told.stdout

    def _called(self, key: str, call: Call) -> Verdict:
        token = self._token(call.host)
        body = call.body
        if call.change:
            body = call.change(self.servers.api(call.host, "GET", call.path, token=token))
        answer = self.servers.api(call.host, call.method, call.path, body=body, token=token)
        if call.task:
            return self._task(key, call.host, answer["id"], token)
        if call.judge is None:
            return Verdict(True, "")
        try:
            return call.judge(answer)
        except UNREADABLE as error:
            return Verdict.unmade(f"unexpected answer: {type(error).__name__} {error}")

    def _token(self, host: str) -> Secret:
        """The core's own token, which is a valid key of its API; it stays in memory."""
        read = self.servers.run(host, f"cat {TOKEN}")
        if not read.ok:
            raise ActionFailed(failure(read))
        token = read.stdout.strip()
        if not re.fullmatch("[!-~]*", token):
            raise ActionFailed(f"{TOKEN} of {host}: one word is expected")
        return Secret(token)

    def _task(self, key: str, host: str, task: str, token: Secret) -> Verdict:
        """Wait for the task's end and keep what it says. One that core no longer knows was lost with a restart."""
        path, told, began = f"/api/tasks/{task}", 0, time.monotonic()
        while time.monotonic() < began + TASK_SECONDS:
            status: Any = self.servers.api(host, "GET", path, token=token)
            lines: Any = self.servers.api(host, "GET", f"{path}/_currentLogs?offset={told}", token=token)
            told += len(lines or [])
            self._hear(key, lines or [], time.monotonic() - began)
            if status["state"] in ("Success", "InError"):
                return Verdict(status["state"] == "Success", status.get("lastLogEntry") or status["state"])
            time.sleep(0.5)
        return Verdict(False, f"the task has not ended after {TASK_SECONDS:.0f} s")

    def _hear(self, key: str, lines: list[str], elapsed: float) -> None:
        text = "".join(f"{line}\n" for line in lines)
        if text:
            self.logs.append(key, text)
            self.jobs[key].hear(text, 0.0, elapsed)

    def _answered(self, manual: Manual) -> Verdict:
        recorded = self.journal.last("answer", key=manual.key)
        given = [recorded["answer"] if recorded else "", self.answers.get(manual.key, "")]
        answer = next((one for one in given if settles(manual, one)), "")
        if recorded and answer == recorded["answer"]:
            return _confirmed(answer, recorded.get("told", ""))
        try:
            told = beside(self.servers, manual)
        except ActionFailed as error:
            return Verdict.unmade(str(error))
        if not answer:
            wanted = manual.expect or "who did it, and how it can be seen"
            said = f"answered {(given[1] or given[0])!r}" if any(given) else "not answered"
            question = f"{said}; answer `{manual.key}: {wanted}` to go on"
            return Verdict(False, f"{question}\n{told}" if told else question)
        self.journal.write("answer", key=manual.key, answer=answer, **({"told": told} if told else {}))
        return _confirmed(answer, told)


def beside(servers: Servers, manual: Manual) -> str:
    """What stands beside a question. Raise ActionFailed where it cannot be told: nobody is asked about that."""
    if manual.tell is None:
        return ""
    result = servers.run(manual.host, manual.look)
    if not result.ok:
        raise ActionFailed(failure(result))
    try:
        return manual.tell(result)
    except UNREADABLE as error:
        raise ActionFailed(f"unexpected answer of {manual.host}: {error}") from error


def _confirmed(answer: str, told: str) -> Verdict:
    return Verdict(True, f"{answer}; {told}" if told else answer)


def accepts(seen: str, answer: str) -> bool:
    """Whether an answer accepts what has this sum, and says who does so and why."""
    number, _, signed = answer.partition(" ")
    return number == seen and is_signed(signed)


def judged(check: Check, results: Sequence[Result]) -> Verdict:
    """What the check makes of what its lines have said; of a line that has failed it makes nothing."""
    broken = [one for one in results if one.exit not in check.answers]
    if broken:
        return Verdict.unmade("; ".join(_failed(one) for one in broken))
    try:
        return check.judge(*results)
    except UNREADABLE as error:
        said = " | ".join((one.stdout + one.stderr).strip()[-200:] for one in results)
        return Verdict.unmade(f"unexpected answer ({error}): {said}")


def _failed(result: Result) -> str:
    said = (result.stderr.strip() or result.stdout.strip()).splitlines()
    return f"exit status {result.exit} on {result.host}" + (f": {said[-1]}" if said else "")


def until(look: Callable[[], Verdict], patience: float, interrupted: threading.Event) -> Verdict:
    """Look until it holds, or never will, the patience in seconds is over, or the operator interrupts.

    A server may be out of reach meanwhile.
    """
    deadline, pause = time.monotonic() + patience, FIRST_POLL_SECONDS
    while True:
        try:
            verdict = look()
        except ConnectionFailed as error:
            if not patience:
                raise
            verdict = Verdict.unmade(str(error))
        except ActionFailed as error:
            verdict = Verdict.unmade(str(error))
        if verdict.holds or verdict.final or time.monotonic() >= deadline or interrupted.wait(pause):
            return verdict
        pause = min(pause * 1.5, POLL_SECONDS)
