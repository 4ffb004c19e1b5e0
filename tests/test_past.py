"""What a past run took is forecast for the next one of about its size, before the service is stopped."""

from dataclasses import replace
from pathlib import Path

from bmnb.forecast import expected, past_seconds
from bmnb.journal import Journal
from bmnb.own_time import OwnTime
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.run import Run
from tests.report import synthetic


def test_the_nearest_finished_run_in_size_is_taken(tmp_path: Path):
    small = synthetic.run(tmp_path / f"2026-01-01-small-{PROCEDURE.name}", files=1_000)
    large = synthetic.run(tmp_path / f"2026-01-02-large-{PROCEDURE.name}", files=1_000_000)
    synthetic.run(
        tmp_path / f"2026-01-03-unfinished-{PROCEDURE.name}", files=800_000, until="import-databases"
    )
    here = synthetic.run(tmp_path / f"2026-01-04-here-{PROCEDURE.name}", files=900_000, until="stop-services")
    told = expected(PROCEDURE, Journal(here / "journal.jsonl"), here, OwnTime())
    assert told["run"] == large.name
    assert told["downtime"] > 0
    assert list(told["phases"]) == [phase.name for phase in PROCEDURE.phases]
    assert expected(PROCEDURE, Journal(small / "journal.jsonl"), small, OwnTime())["run"] == large.name
    own = expected(PROCEDURE, Journal(here / "journal.jsonl"), here, OwnTime(60.0, 90.0))
    assert 150 <= own["downtime"] < told["downtime"] + 150, "the services of that run do not count"


def test_without_a_past_run_nothing_is_forecast(tmp_path: Path):
    here = synthetic.run(tmp_path / f"2026-01-04-here-{PROCEDURE.name}", files=1_000)
    assert expected(PROCEDURE, Journal(here / "journal.jsonl"), here, OwnTime()) == {}


def test_a_past_run_whose_journal_was_changed_tells_nothing_and_stops_nothing(tmp_path: Path):
    journal = synthetic.run(tmp_path / f"2026-01-01-past-{PROCEDURE.name}", files=1_000) / "journal.jsonl"
    here = synthetic.run(tmp_path / f"2026-01-04-here-{PROCEDURE.name}", files=1_000)
    assert past_seconds(PROCEDURE, here)
    journal.write_text(journal.read_text().replace("Dupont", "Durand"))
    assert past_seconds(PROCEDURE, here) == {}
    assert expected(PROCEDURE, Journal(here / "journal.jsonl"), here, OwnTime()) == {}


def test_the_plan_tells_what_each_step_took_in_past_runs(tmp_path: Path):
    synthetic.run(tmp_path / f"2026-01-01-past-{PROCEDURE.name}.2", files=1_000)
    run = Run(PROCEDURE, replace(synthetic.SETTINGS, runs=str(tmp_path)), show=lambda table: None)
    assert all(text for text in run.plan()["expected"] if text != "")
    planned = [step for step in PROCEDURE.steps if any(step.actions(synthetic.SETTINGS))]
    assert sum(text != "" for text in run.plan()["expected"]) == len(planned)
