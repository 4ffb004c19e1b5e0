"""English in the code, French in the catalogues: every text that has one is found, the rest stays itself."""

import pytest

from bmnb.errors import InputError
from bmnb.language import _, current, plural, use


def test_a_text_is_said_in_the_language_in_use():
    assert _("Summary") == "Summary"
    with use("fr"):
        assert (current(), _("Summary")) == ("fr", "Résumé")
    assert (current(), _("Summary")) == ("en", "Summary")


def test_a_text_without_translation_and_no_text_stay_themselves():
    with use("fr"):
        assert [_("bmctl stop"), _("")] == ["bmctl stop", ""]


def test_numbers_are_counted_as_the_language_does():
    with use("fr"):
        assert [plural("{number} step", "{number} steps", n) for n in (0, 2)] == ["0 étape", "2 étapes"]
    assert plural("{number} step", "{number} steps", 0) == "0 steps"


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="en, fr"):
        use("xx")
