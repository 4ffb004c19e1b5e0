"""The window: what the hot passes and past runs say of the downtime."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bmnb.forecast import ahead, minutes, past_seconds, sentence, synchronization
from bmnb.journal import Journal
from bmnb.own_time import OwnTime, look_seconds, measured, taken
from bmnb.procedures.changing_distributions import PROCEDURE, cold_synchronization
from bmnb.verification.files import LOOK

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
    assert "two hot synchronizations" in sentence(PROCEDURE, cold_synchronization, PASSES[:1], {}, OwnTime())


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
    told = sentence(PROCEDURE, cold_synchronization, PASSES, {}, OwnTime())
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
    assert "Expected downtime" in sentence(PROCEDURE, cold_synchronization, PASSES, past, OwnTime())


def run_with_services(path: Path, seconds: float) -> Journal:
    """A run whose stop and start of BlueMind take as long, each within a step that takes 10 s more."""
    journal = Clocked(path / "journal.jsonl")
    for step in PROCEDURE.steps:
        own = {"stop-services": "bmctl stop", "restart-target": "bmctl start"}.get(step.name)
        journal.at("step started", step=step.name, title=step.title, phase=step.phase.name)
        journal.now += 5
        if own:
            facts = {"action": f"{step.name}/1", "server": "target", "title": own}
            journal.at("started", **facts, line=own, unit="unit")
            journal.now += seconds
            journal.at("done", **{**facts, "title": "services of target are stopped"}, row={})
        journal.now += 5
        journal.at("step done", step=step.name)
    return journal


class Clocked(Journal):
    """A journal whose lines are written when it is told."""

    now = 0.0

    def at(self, event: str, **facts: Any) -> None:
        moment = (BEGAN + timedelta(seconds=self.now)).isoformat()
        self.write(event, **facts)
        self.lines[-1].update(time=moment, local=moment)


def test_blueminds_own_time_counts_from_bmctl_until_a_check_has_seen_it(tmp_path: Path):
    journal = run_with_services(tmp_path, 120)
    assert taken(journal, "stop-services") == [120]
    assert taken(journal, "import-databases") == []


def counted(journal: Journal, server: str, **row: float) -> None:
    named = {name.replace("_", " "): value for name, value in row.items()}
    journal.write("done", action="stop-target/4", server=server, title="", row=named)


def test_the_longer_start_of_both_servers_counts_and_the_origins_own_stop(tmp_path: Path):
    journal = Journal(tmp_path / "journal.jsonl")
    assert measured(journal, "origin", "target") == OwnTime()
    counted(journal, "target", starts_in=20.0, stops_in=9.0)
    assert measured(journal, "origin", "target") == OwnTime(None, 20.0)
    counted(journal, "origin", starts_in=80.0, stops_in=40.0)
    assert measured(journal, "origin", "target") == OwnTime(40.0, 80.0)


def test_where_the_origin_has_no_record_of_its_stop_that_of_the_target_is_told_as_such(tmp_path: Path):
    journal = Clocked(tmp_path / "journal.jsonl")
    facts = {"action": "stop-target/5", "server": "target"}
    journal.at("step started", step="stop-target", title="", phase="")
    journal.at("started", **facts, title="stop BlueMind", line="bmctl stop", unit="unit")
    journal.now += 7
    journal.at("done", **facts, title="services of target are stopped", row={})
    journal.at("step done", step="stop-target")
    own = measured(journal, "origin", "target")
    assert own == OwnTime(7, None, elsewhere=True)
    told = sentence(PROCEDURE, cold_synchronization, PASSES, {}, own)
    assert "The target, with hardly any data, took 7 s to stop; the origin has no record of its own." in told
    assert "How long BlueMind takes to start is not known" in told


def test_the_announced_downtime_has_this_clients_services_and_not_those_of_past_runs(monkeypatch: Any):
    """Past runs whose services took an hour say nothing of a client whose services take a minute."""
    past = {step.name: [10.0] for step in PROCEDURE.steps}
    others = [step for step in PROCEDURE.steps if step.phase.downtime and step is not cold_synchronization]
    seen = synchronization(PASSES, datetime.now(UTC))
    assert seen
    told = sentence(PROCEDURE, cold_synchronization, PASSES, past, OwnTime(60.0, 90.0))
    downtime = seen.longest + 150 + 10 * len(others)
    assert minutes(downtime, downtime).split(" ")[0] in told
    assert "BlueMind takes 90 s to start, as measured on these servers. The origin took 60 s to stop" in told


def test_where_the_look_takes_more_than_a_minute_the_proof_after_the_switch_is_offered_with_both_figures():
    past = {step.name: [600.0] for step in PROCEDURE.steps}
    own = OwnTime(60.0, 90.0)
    told = sentence(PROCEDURE, cold_synchronization, PASSES, past, own, look=300.0)
    whole, shorter = (
        float(told.partition(word)[2].split()[0]) for word in ("the downtime is up to ", "and about ")
    )
    assert whole - shorter == 5, "minutes"
    assert "5 min" in sentence(PROCEDURE, cold_synchronization, PASSES, {}, own, look=300.0)
    for look in (0.0, 59.0):
        assert "verify" not in sentence(PROCEDURE, cold_synchronization, PASSES, past, own, look)


def test_the_slower_servers_last_look_counts(tmp_path: Path):
    journal = Journal(tmp_path / "journal.jsonl")
    assert look_seconds(journal) == 0
    for server, seconds in (("origin", 400.0), ("origin", 100.0), ("target", 200.0)):
        journal.write("done", action="compare-ahead.1/9", server=server, title=LOOK, seconds=seconds, row={})
    assert look_seconds(journal) == 200


def test_a_step_of_a_past_run_counts_without_its_services(tmp_path: Path, monkeypatch: Any):
    journal = run_with_services(tmp_path / "2026-01-01-a-changing-distributions", 120)
    monkeypatch.setattr("bmnb.forecast._beside", lambda procedure, folder: [journal])
    assert past_seconds(PROCEDURE, tmp_path)["stop-services"] == [130]
    assert past_seconds(PROCEDURE, tmp_path, own=False)["stop-services"] == [10]
    assert past_seconds(PROCEDURE, tmp_path, own=False)["verify-copy"] == [10]


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
