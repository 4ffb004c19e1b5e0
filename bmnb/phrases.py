"""Sentences with names or numbers in them, in the language in use.

A message of a catalogue with `{}` for what varies translates every sentence of its form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from bmnb.language import CATALOGUES, _, current

_names = {"origin", "target", "core"}
"""Those that are words of ours as well; a sentence has them as names of servers alone."""
GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")
"""A whole number as English writes it."""


def phrase(text: str) -> str:
    """The text in the language in use, line by line; itself where no catalogue has it."""
    return "\n".join(_line(line) for line in text.split("\n")) if current() != "en" else text


def _line(line: str) -> str:
    known = _(line)
    if known != line:
        return known
    if GROUPED.fullmatch(line):
        from babel.numbers import format_decimal

        return str(format_decimal(int(line.replace(",", "")), locale=current()))
    for pattern, translated in _patterns(current()):
        if found := pattern.fullmatch(line):
            return translated.format(*(_gap(group) for group in found.groups()))
    return line


def _gap(text: str) -> str:
    """What varies in a sentence: a phrase of its own, or names, which stay."""
    return text if set(text.split(", ")) <= _names else _line(text)


def keep(names: Iterable[str]) -> None:
    """Names of servers, which stay as they are also where they are words, as target is."""
    _names.update(names)


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Each message with gaps as a pattern, those with the most text first."""
    from babel.messages.pofile import read_po

    found: dict[str, str] = {}
    for path in sorted((CATALOGUES / language).glob("*.po")):
        with path.open("rb") as file:
            found |= {str(one.id): str(one.string) for one in read_po(file) if "{}" in one.id and one.string}
    return [
        (re.compile("(.+?)".join(map(re.escape, message.split("{}"))), re.DOTALL), found[message])
        for message in sorted(found, key=len, reverse=True)
    ]
