"""Texts of servers and files as a terminal may show them."""

from __future__ import annotations

import sys
import unicodedata


def plain(text: str) -> str:
    """The text with each letter that a terminal obeys, or that nobody sees, as its code.

    A name may not clear the screen, write over what stands above it, or turn the order of letters round.
    """
    return "".join(one if _is_seen(one) else ascii(one)[1:-1] for one in text)


def _is_seen(letter: str) -> bool:
    return letter in "\n\t" or letter.isprintable() or unicodedata.category(letter) == "Zs"


def say(text: str, err: bool = False, nl: bool = True) -> None:
    """Print what may hold names of servers and files: they are shown, and not obeyed.

    Letters that the terminal's encoding lacks, as with LC_ALL=fr_FR.ISO-8859-1, are shown as their codes.
    """
    stream = sys.stderr if err else sys.stdout
    encoding = stream.encoding or "utf-8"
    shown = plain(text).encode(encoding, "backslashreplace").decode(encoding)
    print(shown, end="\n" if nl else "", file=stream, flush=True)
