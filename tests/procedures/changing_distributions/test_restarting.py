"""When the target restarts: before the hot phase, in the downtime as in the document, or never."""

import pytest

from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.procedures.changing_distributions.settings import BEFORE, DURING, NEVER, Settings
from bmnb.settings import make, problems
from bmnb.steps import singles


def steps_with_restart(restart_target: str) -> list[str]:
    settings = make(Settings, {"restart_target": restart_target})
    return [
        one.name
        for one in PROCEDURE.steps
        if any(action.title == "restart" for action in singles(one.actions(settings)))
    ]


@pytest.mark.parametrize(
    ("restart_target", "restarts_in"),
    [(BEFORE, ["stop-target"]), (DURING, ["restart-target"]), (NEVER, [])],
)
def test_the_target_restarts_in_one_step_at_most(restart_target: str, restarts_in: list[str]):
    assert steps_with_restart(restart_target) == restarts_in


def test_a_client_file_without_a_word_on_it_spares_the_downtime_a_restart():
    assert make(Settings, {}).restart_target == BEFORE


def test_services_are_seen_to_stay_stopped_after_the_restart():
    (stop_target,) = [one for one in PROCEDURE.steps if one.name == "stop-target"]
    titles = [one.title for one in singles(stop_target.actions(make(Settings, {})))]
    last = [one for one in titles if one.startswith(("restart", "services of", "the target is back"))]
    assert [one.split(" of ")[-1] for one in last[-3:-1]] == ["restart", "the target is back"]
    assert last[-1].endswith("stay stopped")


@pytest.mark.parametrize(("formerly", "now"), [(True, DURING), (False, NEVER)])
def test_client_files_of_earlier_releases_mean_what_they_meant(formerly: bool, now: str):
    assert make(Settings, {"restart_target": formerly}).restart_target == now


def test_another_word_is_refused_with_those_that_there_are():
    (wrong,) = [one for one in problems(Settings, {"restart_target": "later"}) if "restart" in one]
    assert all(word in wrong for word in (BEFORE, DURING, NEVER))
