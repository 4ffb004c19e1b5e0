"""Lines of a journal put together: actions with their last end, steps with each of their attempts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bmnb.report.entries import entries, sessions
from bmnb.stretches import stretches

BEGAN = datetime(2026, 1, 31, 20, tzinfo=UTC)


def journal(*told: tuple[int, str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines of (minute, event, facts)."""
    return [
        {"time": (BEGAN + timedelta(minutes=minute)).isoformat(), "event": event, **facts}
        for minute, event, facts in told
    ]


def step(name: str) -> dict[str, str]:
    return {"step": name, "title": name.title(), "phase": "cold"}


def action(key: str, **facts: Any) -> dict[str, Any]:
    return {"action": key, "server": "a", "title": "copy", **facts}


def test_an_action_that_failed_and_was_repeated_counts_as_it_ended_last():
    lines = journal(
        (0, "started", action("copy/1", unit="u-1", line="rsync", kind="command")),
        (1, "failed", action("copy/1", seen="cut", exit=12)),
        (2, "started", action("copy/1", unit="u-2", line="rsync", kind="command")),
        (3, "done", action("copy/1", seen="", exit=0, seconds=60.0)),
    )
    [entry] = entries(lines)
    assert (entry.status, entry.attempts, entry.unit, entry.exit) == ("done", 2, "u-2", 0)


def test_an_action_without_an_end_is_started_with_its_unit():
    [entry] = entries(journal((0, "started", action("copy/1", unit="u-1", line="rsync"))))
    assert (entry.status, entry.unit, entry.ended) == ("started", "u-1", None)


def test_a_skipped_action_has_no_start():
    [entry] = entries(journal((0, "skipped", action("copy/1", seen="absent"))))
    assert (entry.status, entry.attempts, entry.seen) == ("skipped", 0, "absent")


def test_a_step_that_was_taken_up_again_is_there_with_both_attempts():
    lines = journal(
        (0, "step started", step("copy")),
        (5, "failed", action("copy/1", seen="cut")),
        (600, "opened", {}),
        (600, "step started", step("copy")),
        (630, "step done", step("copy")),
        (631, "step started", step("dump")),
        (640, "started", action("dump/1")),
        (900, "sealed", {}),
    )
    found = stretches(lines)
    assert [(one.step, one.status, one.seconds) for one in found] == [
        ("copy", "failed", 300),
        ("copy", "done", 1800),
        ("dump", "started", 540),
    ]
    assert [len(sitting) for sitting in sessions(found)] == [1, 2]
