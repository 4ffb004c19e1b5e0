"""A lab as slow as real servers, and a forecast that tells their own times."""

from pathlib import Path
from time import monotonic

import pytest

from bmnb.lab import Lab
from bmnb.lab.pace import Pace
from bmnb.own_time import measured
from bmnb.procedures.changing_distributions import PROCEDURE, stop_target
from tests.lab.conftest import SMALL
from tests.lab.migration import opened

pytestmark = pytest.mark.lab

SECONDS = 8
OPTIONS = {**SMALL, "pace": Pace(SECONDS, SECONDS)}


def test_services_take_as_long_to_stop_and_to_start_as_was_asked(lab: Lab):
    began = monotonic()
    lab.origin.must("bmctl stop; while systemctl list-jobs | grep -q bm-core; do sleep 0.2; done")
    stopped = monotonic()
    lab.origin.must("bmctl start")
    assert stopped - began >= SECONDS
    assert monotonic() - stopped >= SECONDS


def test_a_restart_takes_as_long_and_the_forecast_has_what_was_measured(lab: Lab, tmp_path: Path):
    run = opened(lab, tmp_path, engine="fast", restart_target="before")
    steps = PROCEDURE.steps
    for step in steps[: steps.index(stop_target) + 1]:
        run(step)
    run.close()
    own = measured(run.journal, "origin", "target")
    assert own.stop is not None
    assert own.start is not None
    assert min(own.stop, own.start) >= SECONDS
    assert not own.elsewhere, "the origin has been stopped before, of which systemd has a record"
    [back] = [line["seconds"] for line in run.journal.events("done") if line["title"] == "the target is back"]
    assert back >= SECONDS - 1
