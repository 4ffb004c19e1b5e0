"""What a past run took is forecast for the next one of about its size, before the service is stopped."""

from pathlib import Path

from bmnb.forecast import expected
from bmnb.journal import Journal
from bmnb.procedures.changing_distributions import PROCEDURE
from tests.report import synthetic


def test_the_nearest_finished_run_in_size_is_taken(tmp_path: Path):
    small = synthetic.run(tmp_path / f"2026-01-01-small-{PROCEDURE.name}", files=1_000)
    large = synthetic.run(tmp_path / f"2026-01-02-large-{PROCEDURE.name}", files=1_000_000)
    synthetic.run(
        tmp_path / f"2026-01-03-unfinished-{PROCEDURE.name}", files=800_000, until="import-databases"
    )
    here = synthetic.run(tmp_path / f"2026-01-04-here-{PROCEDURE.name}", files=900_000, until="stop-services")
    told = expected(PROCEDURE, Journal(here / "journal.jsonl"), here)
    assert told["run"] == large.name
    assert told["downtime"] > 0
    assert list(told["phases"]) == [phase.name for phase in PROCEDURE.phases]
    assert expected(PROCEDURE, Journal(small / "journal.jsonl"), small)["run"] == large.name


def test_without_a_past_run_nothing_is_forecast(tmp_path: Path):
    here = synthetic.run(tmp_path / f"2026-01-04-here-{PROCEDURE.name}", files=1_000)
    assert expected(PROCEDURE, Journal(here / "journal.jsonl"), here) == {}
