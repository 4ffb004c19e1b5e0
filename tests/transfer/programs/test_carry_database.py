"""The copy's rows by their hashes: which are to go, and where those that come lie."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmnb.transfer.programs.carry_database import Base, Entry

numbers = st.integers(-(2**63), 2**63 - 1)
hashes = st.lists(st.sampled_from([-(2**63), -1, 0, 7, 2**63 - 1]) | numbers, max_size=300)


def base_of(folder: Path, some: list[int]) -> Base:
    return Base.written(str(folder / "base"), (Entry(one, place) for place, one in enumerate(sorted(some))))


@given(some=hashes, data=st.data())
def test_the_rows_to_remove_are_found_each_at_a_place_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, some, data
):
    base = base_of(tmp_path_factory.mktemp("base"), some)
    gone = data.draw(st.permutations(some).map(lambda all_of: all_of[: len(some) // 2]))
    positions = base.positions(gone)
    assert positions is not None
    assert len(set(positions)) == len(gone)
    assert Counter(base.hashes[at] for at in positions) == Counter(gone)


def test_a_row_that_the_copy_lacks_is_found_nowhere(tmp_path: Path):
    base = base_of(tmp_path, [10, 20, 20, 30])
    assert base.positions([20, 20]) == [1, 2]
    assert base.positions([20, 20, 20]) is None
    assert base.positions([11]) is None
    assert base.positions([31]) is None


@given(before=hashes, data=st.data())
def test_the_next_base_has_what_stayed_and_what_came(tmp_path_factory: pytest.TempPathFactory, before, data):
    folder = tmp_path_factory.mktemp("base")
    base = base_of(folder, before)
    removed = data.draw(st.sets(st.integers(0, len(before) - 1)) if before else st.just(set()))
    added = [Entry(one, 1000 + place) for place, one in enumerate(data.draw(hashes))]
    after = base.changed(str(folder / "after"), sorted(removed), added)
    stayed = [Entry(base.hashes[at], base.places[at]) for at in range(len(base.hashes)) if at not in removed]
    assert list(after.hashes) == sorted(after.hashes)
    assert sorted(zip(after.hashes, after.places, strict=True)) == sorted([*stayed, *added])
    assert after.sum == sum(after.hashes)
