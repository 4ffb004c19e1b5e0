"""The window: what the hot passes and past runs say of the downtime."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bmnb.forecast import ahead, minutes, past_seconds, sentence, synchronization
from bmnb.journal import Journal
from bmnb.procedures.changing_distributions import PROCEDURE, cold_synchronization

BEGAN = datetime(2026, 1, 31, 20, 0, tzinfo=UTC)


def passed(number: int, began: float, seconds: float, changed: int) -> dict:
    """A pass: minutes after the beginning, seconds, bytes."""
    ended = BEGAN + timedelta(minutes=began, seconds=seconds)
    return {
        "pass": number,
        "ended": f"{ended:%Y-%m-%d %H:%M:%S}",
        "seconds": seconds,
        "changed bytes": changed,
    }


# 100 GB in an hour; then 5 minutes of comparing, and 5 minutes of copying what came in 60 minutes
PASSES = [passed(1, 0, 3600, 100 * 10**9), passed(2, 60, 600, 8_333_333_333)]


def test_one_pass_is_too_little_for_a_forecast():
    assert synchronization(PASSES[:1], BEGAN) is None
    assert "two hot synchronizations" in sentence(PROCEDURE, cold_synchronization, PASSES[:1], {})


def test_the_next_pass_takes_the_comparing_and_the_changes_since_the_last_one_began():
    soon = synchronization(PASSES, BEGAN + timedelta(minutes=90))
    late = synchronization(PASSES, BEGAN + timedelta(minutes=180))
    assert round(soon.shortest) == round(soon.longest) == 450
    assert round(late.shortest) == 900


def test_another_pass_saves_much_when_much_time_has_gone_by_and_little_right_after():
    late = synchronization(PASSES, BEGAN + timedelta(minutes=180))
    soon = synchronization(PASSES, BEGAN + timedelta(minutes=71))
    assert late.saved > 400
    assert soon.saved < 60


def test_uneven_passes_give_a_range():
    uneven = [*PASSES, passed(3, 120, 400, 1_666_666_666)]
    seen = synchronization(uneven, BEGAN + timedelta(minutes=180))
    assert seen.shortest < seen.longest


def test_without_a_past_run_the_rest_is_said_to_be_unknown():
    told = sentence(PROCEDURE, cold_synchronization, PASSES, {})
    assert "Expected for the files in the cold synchronization" in told
    assert "is not known" in told


def test_a_phase_says_what_stops_working_and_how_long_it_took_before():
    hot, cold = (
        next(one for one in PROCEDURE.phases if one.title.startswith(name)) for name in ("Hot", "Cold")
    )
    assert ahead(PROCEDURE, hot, {}).startswith("Users go on working in this phase. How long it takes is not")
    past = {step.name: [60.0, 90.0] for step in PROCEDURE.steps}
    steps = sum(step.phase == cold for step in PROCEDURE.steps)
    assert ahead(PROCEDURE, cold, past) == (
        f"Users are cut off in this phase. In past runs it took {steps}–{round(1.5 * steps)} min."
    )


def test_past_runs_give_the_rest_of_the_downtime(tmp_path: Path):
    journal = Journal(tmp_path / "2026-01-01-a-changing-distributions" / "journal.jsonl")
    for step in PROCEDURE.steps:
        journal.write("step started", step=step.name, title=step.title, phase=step.phase.name)
        journal.write("step done", step=step.name)
    past = past_seconds(PROCEDURE, tmp_path / "2026-02-02-b-changing-distributions")
    assert set(past) == {step.name for step in PROCEDURE.steps}
    assert "Expected downtime" in sentence(PROCEDURE, cold_synchronization, PASSES, past)


def test_a_step_that_was_stopped_in_between_tells_no_duration(tmp_path: Path):
    journal = Journal(tmp_path / "2026-01-01-a-changing-distributions" / "journal.jsonl")
    journal.write("step started", step="stop-services", title="", phase="")
    journal.write("step started", step="stop-services", title="", phase="")
    journal.write("step done", step="stop-services")
    assert past_seconds(PROCEDURE, tmp_path / "b") == {}


def test_minutes_read_well():
    assert [minutes(840, 1140), minutes(30, 90), minutes(0.4, 0.4), minutes(600, 600)] == [
        *("14–19 min", "30–90 s", "1 s", "10 min")
    ]
