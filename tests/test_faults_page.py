"""The page of faults is the table that the tests make true."""

import re
from pathlib import Path

from tests.lab.faults import OTHER, SHOWN, page

PAGE = Path(__file__).parent.parent / "docs" / "faults.md"


def test_the_page_is_the_tests_table():
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.lab.faults > docs/faults.md"


def test_what_strikes_by_no_row_has_a_test_of_its_own():
    assert [[key for key in SHOWN if one[0].startswith(key)] for one in OTHER] == [[key] for key in SHOWN]
    for file, name in (one.split() for one in SHOWN.values()):
        text = (PAGE.parent.parent / "tests" / f"{file}.py").read_text(encoding="utf-8")
        assert re.search(rf"^def test_{name}\(", text, flags=re.MULTILINE), name
