"""The language of what people read: English in the code, other languages in the catalogues of `locale/`."""

from __future__ import annotations

import gettext
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import IO

CATALOGUES = Path(__file__).parent / "locale"
LANGUAGES = ("en", *sorted(path.name for path in CATALOGUES.iterdir()))

_now = "en"


class use:
    """Speak a language from now on, or for a while with `with use("fr"):`. Raise LookupError for an unknown one.

    It holds for the whole process, since actions and progress run in threads of their own.
    """

    def __init__(self, language: str) -> None:
        global _now
        if language not in LANGUAGES:
            raise LookupError(f"no texts in language {language!r}: there are {', '.join(LANGUAGES)}")
        self._before, _now = _now, language

    def __enter__(self) -> use:
        return self

    def __exit__(self, *error: object) -> None:
        global _now
        _now = self._before


def current() -> str:
    """The language spoken now, as in HTML's `lang`."""
    return _now


def _(message: str) -> str:
    """The message in the language spoken now; itself where no catalogue has it."""
    return _texts(_now).gettext(message) if message else ""


def plural(one: str, many: str, number: int) -> str:
    """The message for so many, with `{number}` filled in."""
    return _texts(_now).ngettext(one, many, number).format(number=number)


@cache
def _texts(language: str) -> gettext.NullTranslations:
    """All catalogues of a language together, one a part of the package. English needs no reader of them."""
    texts = gettext.NullTranslations()
    for path in sorted((CATALOGUES / language).glob("*.po")):
        with path.open("rb") as file:
            compiled = _compiled(file)
        compiled.add_fallback(texts)
        texts = compiled
    return texts


def _compiled(file: IO[bytes]) -> gettext.GNUTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    binary = BytesIO()
    write_mo(binary, read_po(file))
    binary.seek(0)
    return gettext.GNUTranslations(binary)
