"""Which pages of a table's files have changed, by what stands at the head of each."""

from pathlib import Path
from struct import pack

from bmnb.transfer.programs.pages import ANY_PAGE, Lies, _changed

SIZE = 8192


def page(place: int, items: int) -> bytes:
    """A page whose last change is told at this place in the log, with so many items."""
    head = pack("=IIHHH", place >> 32, place & 0xFFFFFFFF, 0, 0, 24 + 4 * items)
    return head.ljust(SIZE, b"\xff")


def found(path: Path, since: int, logged: bool = True) -> list[tuple[int, int]]:
    changed = _changed(Lies(1, logged, 3, 290, str(path), SIZE), since)
    return list(zip(changed.blocks, changed.items, strict=True))


def test_pages_are_told_that_have_changed_since_a_place_in_the_log(tmp_path: Path):
    path = tmp_path / "16384"
    path.write_bytes(page(7, 2) + page((3 << 32) + 5, 9) + page(8, 1))
    assert found(path, 7) == [(1, 9), (2, 1)]
    assert found(path, (3 << 32) + 5) == []
    assert found(path, ANY_PAGE) == [(0, 2), (1, 9), (2, 1)]


def test_a_page_that_was_never_written_has_no_items(tmp_path: Path):
    path = tmp_path / "16384"
    path.write_bytes(bytes(SIZE))
    assert (found(path, ANY_PAGE), found(path, 0)) == ([(0, 0)], [])


def test_the_pages_of_all_files_are_numbered_through_and_a_cut_one_is_none(tmp_path: Path):
    """PostgreSQL begins another file after each gigabyte."""
    path = tmp_path / "16384"
    path.write_bytes(page(9, 1) + page(1, 1))
    Path(f"{path}.1").write_bytes(page(9, 4) + page(9, 5)[:-1])
    Path(f"{path}.3").write_bytes(page(9, 1))
    assert found(path, 1) == [(0, 1), (2, 4)]


def test_a_table_whose_file_has_gone_has_no_page_and_one_that_is_not_logged_all(tmp_path: Path):
    assert found(tmp_path / "gone", ANY_PAGE) == []
    assert found(tmp_path / "gone", ANY_PAGE, logged=False) == [(0, 290), (1, 290), (2, 290)]
