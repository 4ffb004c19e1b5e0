"""The simulated nights of many clients."""

import pytest

from benchmarks.sizing import Run, lengths, night, slots_for, slots_of


def test_a_night_is_as_long_as_its_slots_make_it():
    assert [night([60.0] * 4, slots) for slots in (1, 2, 3, 4)] == [4.0, 2.0, 2.0, 1.0]


def test_the_fewest_slots_are_found():
    run = Run(minutes=60, cpu=60, mib=1024)
    slots = slots_for(20, run)
    assert night(lengths(20, run), slots) <= 6 < night(lengths(20, run), slots - 1)
    with pytest.raises(ValueError, match="longer than the night"):
        slots_for(20, Run(minutes=300, cpu=60, mib=1024))


def test_memory_or_cores_limit_a_worker():
    assert slots_of(Run(minutes=60, cpu=60, mib=1024)) == 7
    assert slots_of(Run(minutes=60, cpu=3600, mib=100)) == 2
