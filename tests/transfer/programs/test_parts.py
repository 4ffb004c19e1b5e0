"""The differences of two listings."""

from pathlib import Path

import pytest

from bmnb.transfer.programs import parts
from bmnb.transfer.programs.parts import differences


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_the_difference_of_two_listings_in_another_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
):
    """Kept in memory, or part by part, each line with the others of its path."""
    monkeypatch.setattr(parts, "SOME", batch)
    a, b, b_later, c, d = (
        b"%d 2 1 f 3 4 600 5 6 /%s" % (9 if later else 0, name)
        for name, later in [(b"a", 0), (b"b", 0), (b"b", 1), (b"c", 0), (b"d", 0)]
    )
    found = list(differences(iter([a, b, c]), iter([c, b_later, a, d]), str(tmp_path)))
    assert {b} in [first for first, _ in found]
    assert ({b}, {b_later}) in found or found == [({b}, {b_later, d})]
    assert set().union(*(second for _, second in found)) == {b_later, d}
