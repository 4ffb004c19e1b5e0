"""Hot upgrades by their states, as IHotUpgrade tells them."""

import re

import pytest

from bmnb.bluemind import hot_upgrades


def task(status: str, operation: str = "repack") -> dict[str, object]:
    return {"operation": operation, "status": status, "executionMode": "DIRECT"}


def test_one_that_runs_is_named():
    assert hot_upgrades.none_runs([]).holds
    assert hot_upgrades.none_runs([task("PLANNED")]).seen == "repack"


def test_what_waits_does_not_stop_an_update_and_what_has_failed_does():
    assert hot_upgrades.none_failed([task("PLANNED"), task("SUCCESS")]).holds
    assert not hot_upgrades.none_failed([task("FAILURE")]).holds


def test_they_are_waited_for_until_none_is_left_or_all_that_are_left_have_failed():
    assert hot_upgrades.ended([]).holds
    assert hot_upgrades.ended([task("SUCCESS")]).seen == "1 SUCCESS"
    waits = hot_upgrades.ended([task("PLANNED"), task("FAILURE")])
    assert not waits.holds
    assert not waits.final
    assert hot_upgrades.ended([task("FAILURE"), task("SUCCESS")]).final


@pytest.mark.parametrize(
    ("release", "has"),
    [("3.5.14", False), ("4.4.1", False), ("4.5.0", True), ("4.9.10", True), ("5.1.2", True)],
)
def test_releases_before_4_5_have_none(release: str, has: bool):
    assert (re.match(hot_upgrades.BEFORE_4_5, release) is None) is has
