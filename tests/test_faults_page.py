"""The page of faults is the table that the tests make true."""

from pathlib import Path

from tests.lab.faults import page

PAGE = Path(__file__).parent.parent / "docs" / "faults.md"


def test_the_page_is_the_tests_table():
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.lab.faults > docs/faults.md"
