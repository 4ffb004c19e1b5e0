"""What the origin keeps of its rows, page by page, and what it tells of the pages that have changed."""

from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmnb.transfer.programs.postgres import Failed
from bmnb.transfer.programs.rows import NOTHING, Changes, Kept, Page, Writer, parsed

pages = st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5), max_size=30)


def written(path: Path, before: Kept, changed: dict[int, list[int]], last: int) -> Kept:
    """What is kept after these pages were read."""
    with Path(f"{path}.hashes").open("wb") as file:
        writer = Writer(file)
        for block in sorted(changed):
            writer.copy(before, block)
            writer.page(block, changed[block])
        writer.copy(before, last)
    Path(f"{path}.counts").write_bytes(writer.counts.tobytes())
    kept = Kept.read(str(path))
    assert writer.sum == sum(kept.hashes)
    return kept


def content(kept: Kept) -> list[list[int]]:
    return [list(kept.between(block, block + 1)) for block in range(len(kept.counts))]


def without_end(some: list[list[int]]) -> list[list[int]]:
    """Pages without rows at the end are no pages."""
    return some[: max((place + 1 for place, rows in enumerate(some) if rows), default=0)]


@given(before=pages, after=pages, data=st.data())
def test_the_pages_that_were_read_take_their_places(
    tmp_path_factory: pytest.TempPathFactory, before, after, data
):
    folder = tmp_path_factory.mktemp("kept")
    kept = written(folder / "before", NOTHING, dict(enumerate(before)), 0)
    assert content(kept) == before
    same = data.draw(st.sets(st.integers(0, max(len(before), len(after)))))
    now = [
        rows if place not in same or place >= len(before) else before[place]
        for place, rows in enumerate(after)
    ]
    size = max(len(before), len(now))
    changed = {
        place: now[place] if place < len(now) else []
        for place in range(size)
        if place >= len(now) or place >= len(before) or place not in same
    }
    found = content(written(folder / "after", kept, changed, len(before)))
    assert without_end(found) == without_end(now)
    assert list(chain.from_iterable(found)) == list(chain.from_iterable(now))


def test_pages_out_of_order_are_refused(tmp_path: Path):
    with (tmp_path / "hashes").open("wb") as file:
        writer = Writer(file)
        writer.page(3, [1])
        with pytest.raises(Failed, match="another order"):
            writer.page(2, [1])


def test_a_page_tells_what_is_gone_and_what_is_new():
    changes = Changes()
    changes.add([5, 5, 7, 9], Page(0, [5, 9], [(8, "(0,4)")]))
    assert (sorted(changes.removed), changes.new, changes.explained) == ([5, 7], [(8, "(0,4)")], True)


def test_a_row_that_was_seen_though_it_may_be_recent_comes_again():
    """A transaction that was open at the last pass may have been seen by it."""
    changes = Changes()
    changes.add([5, 8], Page(0, [5], [(8, "(0,2)")]))
    assert (changes.removed, changes.new) == ([8], [(8, "(0,2)")])


def test_a_row_that_came_without_being_recent_is_not_explained():
    changes = Changes()
    changes.add([5], Page(0, [5, 6], []))
    changes.add([5], Page(1, [5], []))
    assert not changes.explained


@pytest.mark.parametrize(
    ("line", "page"),
    [
        (b"3\t\t\n", Page(3, [], [])),
        (b"3\t-1 2\t\n", Page(3, [-1, 2], [])),
        (b"3\t-1\t7@(3,1) -8@(3,22)\n", Page(3, [-1], [(7, "(3,1)"), (-8, "(3,22)")])),
    ],
)
def test_an_answer_of_postgresql_is_read(line: bytes, page: Page):
    assert parsed(line) == page
