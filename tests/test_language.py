"""English in the code, French in the catalogues: every text that has one is found, the rest stays itself."""

import ast
from collections.abc import Iterator
from io import BytesIO

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from bmnb.language import CATALOGUES, LANGUAGES, _, current, plural, use


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
    with pytest.raises(LookupError, match="en, fr"):
        use("xx")


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_text_of_the_code_has_a_translation(language: str):
    assert sorted({*in_modules(), *in_templates()} - texts(language)) == []


def in_modules() -> Iterator[str]:
    """The texts that stand in a call of `_` or `plural`."""
    for path in CATALOGUES.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "plural"):
                constant = [one for one in node.args[:1] if isinstance(one, ast.Constant)]
                yield from (one.value for one in constant if isinstance(one.value, str))


def in_templates() -> Iterator[str]:
    found = extract_from_dir(CATALOGUES.parent, [("**.j2", "jinja2")], keywords={"_": None})
    yield from (str(message) for _file, _line, message, _notes, _context in found)


def texts(language: str) -> set[str]:
    files = [BytesIO(path.read_bytes()) for path in (CATALOGUES / language).glob("*.po")]
    return {first(message.id) for file in files for message in read_po(file) if message.string}


def first(message: str | tuple[str, ...]) -> str:
    """A message, or the first form of one that is counted."""
    return message if isinstance(message, str) else message[0]
