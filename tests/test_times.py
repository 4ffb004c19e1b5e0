"""Durations and moments as a person writes them."""

from datetime import UTC, datetime

import pytest

from bmnb.times import duration, moment


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("1h 5min", 3900), ("2d", 172800)]
)
def test_a_duration_is_read(text: str, seconds: float):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "0m", "m", "1.5h", "-5m", "30m ago", "5m1h"])
def test_what_is_no_duration_is_refused(text: str):
    with pytest.raises(ValueError, match="is no duration like 30m"):
        duration(text)


def test_a_moment_has_a_zone():
    assert moment("2026-12-05T22:00+00:00") == datetime(2026, 12, 5, 22, tzinfo=UTC)
    assert moment("2026-12-05 22:00").tzinfo
    with pytest.raises(ValueError, match="'tonight' is no time like"):
        moment("tonight")
