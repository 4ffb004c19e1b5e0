"""Figures count every start of a step, and tell work from waiting for a person."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bmnb.forecast import synchronization
from bmnb.journal import Record
from bmnb.ledger import checklist_rows, downtime_work, pass_rows, phase_rows
from bmnb.procedures.changing_distributions import PROCEDURE, hot_synchronization
from bmnb.stretches import seconds_in, spans_by_step, stretches

BEGAN = datetime(2026, 1, 31, 20, 0, tzinfo=UTC)
HOT = "hot-synchronization.1"
COPY = {"action": f"{HOT}/1", "title": "copy", "server": "target", "kind": "command"}


def record(*told: tuple[float, str, dict[str, Any]]) -> Record:
    """The lines of a journal, given seconds since the beginning, event and facts."""
    return Record(
        [
            {
                "number": number,
                "time": (BEGAN + timedelta(seconds=at)).isoformat(),
                "event": event,
                "who": "",
                **facts,
            }
            for number, (at, event, facts) in enumerate(told, 1)
        ]
    )


def begun(step: str, phase: str = "hot-synchronization") -> dict[str, Any]:
    return {"step": step, "title": step, "phase": phase}


INTERRUPTED = (
    (0, "step started", begun(HOT)),
    (1, "started", {**COPY, "unit": "one"}),
    (353, "failed", {**COPY, "seconds": 352.0}),
    (354, "stopped", {"why": "interrupted"}),
    (900, "note", {"text": "lunch", "file": ""}),
    (1000, "opened", {"settings": {}}),
    (1001, "step started", begun(HOT)),
    (1001, "started", {**COPY, "unit": "two"}),
    (1008, "done", {**COPY, "seconds": 7.0, "row": {"changed bytes": 10}}),
    (1008, "step done", {"step": HOT}),
)


def test_a_pass_that_was_interrupted_counts_both_its_starts_and_not_the_pause():
    [one] = pass_rows(record(*INTERRUPTED), hot_synchronization)
    assert (one["seconds"], one["starts"]) == (361.0, 2)
    listed = {row["step"]: row for row in checklist_rows(PROCEDURE, record(*INTERRUPTED))}
    assert listed[hot_synchronization.title]["seconds"] == 361.0


def test_what_ran_on_while_nobody_watched_is_work_as_well():
    detached = record(
        (0, "step started", begun(HOT)),
        (1, "started", {**COPY, "unit": "one"}),
        (600, "opened", {"settings": {}}),
        (601, "step started", begun(HOT)),
        (602, "done", {**COPY, "seconds": 500.0, "row": {"changed bytes": 10}}),
        (602, "step done", {"step": HOT}),
    )
    [one] = pass_rows(detached, hot_synchronization)
    assert one["seconds"] == 502.0


def test_a_pass_that_is_done_again_counts_only_what_it_did_then():
    again = [(at + 5000, event, facts) for at, event, facts in INTERRUPTED[6:]]
    rows = list(
        pass_rows(
            record(*INTERRUPTED, (4000, "reopened", {"steps": [hot_synchronization.name]}), *again),
            hot_synchronization,
        )
    )
    assert [(row["seconds"], row["starts"], row["changed bytes"]) for row in rows] == [
        (361.0, 2, 10),
        (7.0, 1, 10),
    ]


def test_steps_are_counted_and_not_their_starts():
    [hot] = phase_rows(PROCEDURE, record(*INTERRUPTED))
    names = [step for step in PROCEDURE.steps if step.phase == hot_synchronization.phase]
    assert hot["state"] == f"1 of {len(names)} steps done"
    assert hot["ended"] == ""


def test_the_downtime_tells_work_from_waiting():
    cold = [step for step in PROCEDURE.steps if step.phase.downtime]
    told: list[tuple[float, str, dict[str, Any]]] = []
    for number, step in enumerate(cold):
        at = 100.0 * number  # ten seconds of work, ninety until somebody runs the next cell
        action = {"action": f"{step.name}/1", "title": "", "server": "origin", "kind": "command"}
        told += [
            (at, "step started", begun(step.name, step.phase.name)),
            (at, "started", {**action, "unit": "u"}),
            (at + 10, "done", {**action, "seconds": 10.0}),
            (at + 10, "step done", {"step": step.name}),
        ]
    journal = record(*told)
    assert downtime_work(PROCEDURE, journal) == 10.0 * len(cold)
    [row] = [row for row in phase_rows(PROCEDURE, journal) if row["phase"] == "Downtime"]
    assert row["seconds"] == row["at work"] + row["waiting"] == 100.0 * len(cold) - 90
    assert row["waiting"] == 90.0 * (len(cold) - 1)


def test_what_somebody_notes_later_does_not_lengthen_a_step():
    assert stretches(record(*INTERRUPTED[:5]).lines)[0].seconds == 354
    assert [round(seconds_in(some)) for some in spans_by_step(record(*INTERRUPTED[:5]).lines).values()] == [
        354
    ]


def a_pass(number: int, minute: float, seconds: float, changed: int, starts: int = 1) -> dict[str, Any]:
    began = BEGAN + timedelta(minutes=minute)
    return {
        "pass": number,
        "began": f"{began:%Y-%m-%d %H:%M:%S}",
        "ended": f"{began + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}",
        "seconds": seconds,
        "changed bytes": changed,
        "starts": starts,
    }


def test_a_forecast_never_rests_on_a_pass_that_was_interrupted():
    now = BEGAN + timedelta(minutes=120)
    first = a_pass(1, 0, 360, 10**9)
    assert synchronization([first, a_pass(2, 60, 7, 10, starts=2)], now) is None
    seen = synchronization([first, a_pass(2, 30, 7, 10, starts=2), a_pass(3, 60, 55, 10**6)], now)
    assert seen is not None
    assert 54 < seen.shortest < 60


def test_where_the_first_pass_was_interrupted_the_next_takes_as_long_as_the_fastest_since():
    now = BEGAN + timedelta(minutes=70)
    seen = synchronization([a_pass(1, 0, 361, 10, starts=2), a_pass(2, 60, 55, 10**6)], now)
    assert seen is not None
    assert seen.shortest == seen.longest == 55
