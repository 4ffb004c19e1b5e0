"""When BlueMind was updated last, and until when it is supported."""

from datetime import date, timedelta

import pytest

from bmnb.bluemind import support
from bmnb.steps import Result


@pytest.mark.parametrize(
    ("updated", "until"),
    [
        (date(2026, 1, 31), date(2027, 1, 31)),
        (date(2024, 2, 29), date(2025, 3, 1)),
        (date(2025, 12, 31), date(2026, 12, 31)),
    ],
)
def test_it_is_supported_until_the_same_day_a_year_later(updated: date, until: date):
    assert support.until(updated) == until


@pytest.mark.parametrize(("days", "due"), [(1, False), (364, False), (370, True)])
def test_the_last_update_is_told_and_whether_one_is_due(days: int, due: bool):
    day = date.today() - timedelta(days=days)
    seconds = int((day - date(1970, 1, 1)).total_seconds()) + 3600
    told = support.told(Result("core", "", 0, f"{seconds}\n"))
    assert told.holds
    assert told.row == {"last update": str(day)}
    assert ("an update is due" in told.seen) is due
