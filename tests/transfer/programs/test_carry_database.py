"""Which rows to remove is told by sums alone: whatever changed, the copy's rows become the origin's."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmnb.transfer.programs.carry_database import Base, Entry, bits_for, chosen, surplus

hashes = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=300)


def base_of(folder: Path, numbers: list[int]) -> Base:
    return Base.written(
        str(folder / "base"), iter(Entry(one, place) for place, one in enumerate(sorted(numbers)))
    )


def sums_of(numbers: list[int], bits: int) -> dict[int, tuple[int, int]]:
    """As the origin tells them: number of rows and sum of each bucket that has any."""
    told: dict[int, tuple[int, int]] = {}
    for one in numbers:
        bucket = one >> (64 - bits) if bits else 0
        count, total = told.get(bucket, (0, 0))
        told[bucket] = count + 1, total + one
    return told


@given(kept=hashes, gone=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5), new=hashes)
def test_the_rows_to_remove_are_found(tmp_path_factory: pytest.TempPathFactory, kept, gone, new):
    base = base_of(tmp_path_factory.mktemp("base"), kept + gone)
    bits = bits_for(len(kept + gone))
    removed = surplus(base, bits, sums_of(kept + new, bits), new)
    assert removed is not None
    left = Counter(base.hashes) - Counter(base.hashes[at] for at in removed)
    assert left + Counter(new) == Counter(kept + new)


def test_a_row_that_was_sent_already_takes_its_own_place(tmp_path: Path):
    """A transaction that was open at the last pass may have been seen by it: its rows come twice."""
    base = base_of(tmp_path, [10, 20, 30])
    assert surplus(base, 0, sums_of([10, 20, 30], 0), [20]) == [1]


def test_a_change_that_was_not_sent_is_not_explained_away(tmp_path: Path):
    base = base_of(tmp_path, [10, 20, 30])
    assert surplus(base, 0, sums_of([10, 20, 31], 0), []) is None
    assert surplus(base, 0, sums_of([10, 20, 30, 40], 0), []) is None


def test_where_much_is_gone_the_table_is_copied_whole(tmp_path: Path):
    base = base_of(tmp_path, list(range(5000)))
    assert surplus(base, 0, sums_of(list(range(3000)), 0), []) is None


def test_equal_rows_are_told_apart_by_their_places():
    assert sorted(chosen([7, 7, 9], 0, 3, 2, 14) or ()) == [0, 1]
    assert chosen([7, 7, 9], 0, 3, 1, 8) is None


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
