"""One line tells where the run stands: what is done, what is under way, the downtime, what comes next."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bmnb import standing
from bmnb.procedures import changing_distributions as procedure
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.run import Run, begin
from bmnb.stretches import moment

NAMES = [step.name for step in PROCEDURE.steps]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return begin(PROCEDURE, {"folder": str(tmp_path), "origin": "old", "target": "new", "dry_run": False})


def done_before(run: Run, name: str) -> None:
    for step in PROCEDURE.steps[: NAMES.index(name)]:
        label = f"{step.name}.1" if step.passes else step.name
        run.journal.write("step started", step=label, title=step.title, phase=step.phase.name)
        run.journal.write("step done", step=label)


def later(run: Run, seconds: int) -> datetime:
    return moment(run.journal.lines[-1]) + timedelta(seconds=seconds)


def test_a_plan_has_no_line(tmp_path: Path):
    assert standing.line(begin(PROCEDURE, {"folder": str(tmp_path)}), datetime.now()) == ""


def test_before_the_first_step_it_says_what_comes_first(run: Run):
    assert standing.line(run, datetime.now()) == f"next: {PROCEDURE.steps[0].title}"


def test_a_step_under_way_has_its_phase_and_its_time(run: Run):
    done_before(run, "hot-synchronization")
    step = procedure.hot_synchronization
    run.journal.write("step started", step=f"{step.name}.1", title=step.title, phase=step.phase.name)
    run.doing = step
    now = later(run, 63)
    following = PROCEDURE.steps[NAMES.index(step.name) + 1].title
    assert standing.line(run, now) == (
        f"Hot synchronization · {step.title} · 1:03 · next: {following} · {now:%H:%M:%S}"
    )


def test_the_downtime_goes_on_while_nothing_is_done(run: Run):
    done_before(run, "stop-services")
    step = procedure.stop_services
    run.journal.write("step started", step=step.name, title=step.title, phase=step.phase.name)
    run.journal.write("started", action=f"{step.name}/1", title="bmctl stop", server="old", unit="u")
    run.journal.write("step done", step=step.name)
    now = later(run, 190)
    shown = standing.line(run, now)
    assert shown.startswith(f"done: {step.title} · users cut off for 3:10 · next: ")
    assert shown.endswith(f"{now:%H:%M:%S}"), "where it stands still the kernel is gone"
    done_before(run, "save-firewall")
    assert "cut off" not in standing.line(run, now)


def test_what_stopped_is_named_until_it_is_done(run: Run):
    step = PROCEDURE.steps[0]
    run.journal.write("step started", step=step.name, title=step.title, phase=step.phase.name)
    assert standing.line(run, datetime.now()) == f"stopped in: {step.title} · next: {step.title}"
    run.journal.write("step done", step=step.name)
    assert standing.line(run, datetime.now()).startswith(f"done: {step.title}")


def test_at_its_end_it_says_so(run: Run):
    run.journal.write("finished")
    assert standing.line(run, datetime.now()) == "finished"
