"""Sentences with names and numbers in them, in French."""

import pytest

from bmnb.language import use
from bmnb.phrases import phrase


@pytest.mark.parametrize(
    ("english", "french"),
    [
        (
            "402 mailboxes, 20,747 messages, 223 MB, the same",
            "402 boîtes aux lettres, 20\u202f747 messages, 223 Mo, identiques",
        ),
        ("1,234,567 entries on the origin", "1\u202f234\u202f567 entrées sur l’origine"),
        ("Python 3.11", "Python 3.11"),
    ],
)
def test_numbers_are_written_as_the_language_does(english: str, french: str):
    with use("fr"):
        assert phrase(english) == french
    assert phrase(english) == english
