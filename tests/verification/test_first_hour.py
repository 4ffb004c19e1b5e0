"""The first hour: a server is watched for a while, and what was seen is judged."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bmnb.procedures.changing_distributions import PROCEDURE, Settings, first_hour_of_service
from bmnb.steps import Check, Command, Result
from bmnb.verification import first_hour, watching

GOOD = {
    "time": 0.0,
    "queue": 0,
    "errors": 0,
    "silent": [],
    "sent": 3,
    "deferred": 0,
    "bounced": 0,
    "slowest": 0.5,
}


def judged(*rounds: dict[str, Any]):
    lines = "".join(json.dumps({**GOOD, **one}) + "\n" for one in rounds)
    return first_hour.went_well(Result("new", "cat", 0, lines))


def test_a_quiet_hour_holds_and_is_counted():
    verdict = judged({}, {"slowest": 2.5, "errors": 4, "queue": 2}, {"slowest": None, "sent": None})
    assert verdict.holds
    assert verdict.seen == "3 looks, 6 messages delivered, 4 lines of level ERROR"
    assert verdict.row["slowest delivery"] == 2.5
    assert verdict.row["longest queue"] == 2
    assert list(verdict.items) == [{"item": "00:00 UTC", "what": "errors 4"}]


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ({"silent": [993]}, "ports that no longer answer: 993"),
        ({"queue": 30}, "30 messages wait in the queue"),
        ({"bounced": 2}, "2 messages bounced"),
    ],
    ids=["port", "queue", "bounces"],
)
def test_what_is_wrong_at_the_end_does_not_hold(last: dict[str, Any], said: str):
    verdict = judged({}, last)
    assert not verdict.holds
    assert said in verdict.seen


def test_what_has_recovered_holds_and_is_still_named():
    verdict = judged({"silent": [25]}, {})
    assert verdict.holds
    assert verdict.items[0]["what"] == "silent 25"


def test_a_queue_that_was_there_before_and_does_not_grow_holds():
    assert judged({"queue": 40}, {"queue": 60}).holds


def test_nothing_seen_is_no_proof():
    assert not first_hour.went_well(Result("new", "cat", 0, "")).made


def test_the_program_watches_until_its_time_is_over(tmp_path: Path):
    """With the tools of a mail server that say what they say there."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, said in {
        "postqueue": "-- 3 Kbytes in 2 Requests.",
        "journalctl": "ABC: to=<a@b>, relay=c, delay=1.25, delays=0/0/0/1, dsn=2.0.0, status=sent (ok)",
    }.items():
        (tools / name).write_text(f"#!/bin/sh\necho '{said}'\n")
        (tools / name).chmod(0o755)
    log, file = tmp_path / "core.log", tmp_path / "first-hour.jsonl"
    log.write_text("2026 ERROR - of before\n")
    words = [sys.executable, "-", str(file), "127.0.0.1", "1", "0.2", str(log)]
    running = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
    )
    said, _ = running.communicate(first_hour.program(), timeout=60)
    assert running.returncode == 0
    rounds = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(rounds) == len(said.splitlines()) >= 1
    assert {one["queue"] for one in rounds} == {2}
    assert {(one["sent"], one["slowest"]) for one in rounds} == {(1, 1.25)}
    assert sum(one["errors"] for one in rounds) == 0, "what stood in the log before is not of this hour"


def test_a_log_is_read_on_from_where_it_stood_also_once_it_is_rotated(tmp_path: Path):
    path = tmp_path / "core.log"
    path.write_text("a ERROR - before\n")
    log = watching.Log(str(path))
    with path.open("a") as file:
        file.write("b ERROR - new\n")
    assert [log.errors(), log.errors()] == [1, 0]
    path.rename(tmp_path / "core.log.1")
    assert log.errors() == 0
    path.write_text("c ERROR - in the new one\n")
    assert log.errors() == 1


def test_a_port_that_nobody_serves_does_not_answer(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        ports = (server.getsockname()[1], other.getsockname()[1])
        monkeypatch.setattr(watching, "PORTS", ports)
        assert watching.answering("127.0.0.1") == [ports[0]]


def test_it_is_off_unless_asked_for_bounded_and_before_anything_is_removed():
    assert list(first_hour_of_service.actions(Settings())) == []
    command, check = first_hour_of_service.actions(Settings(watch_minutes=60))
    assert isinstance(command, Command)
    assert isinstance(check, Check)
    assert " 3600 60 " in command.line
    assert "watch_minutes: from 0 to 240" in Settings(watch_minutes=241).problems()
    assert PROCEDURE.steps[-2:][0] is first_hour_of_service
