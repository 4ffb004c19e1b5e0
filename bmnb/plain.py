"""Texts of servers and files as a terminal or a page may show them."""

from __future__ import annotations

import re
import sys
import unicodedata

ODD = re.compile(r"[^\n\t -~]+")


def plain(text: str) -> str:
    """The text with each letter that a terminal obeys, or that nobody sees, as its code.

    A name may not clear the screen, write over what stands above it, or turn the order of letters round.
    """
    return ODD.sub(lambda found: "".join(map(_shown, found[0])), text)


def _shown(letter: str) -> str:
    return letter if _is_seen(letter) else ascii(letter)[1:-1]


def _is_seen(letter: str) -> bool:
    return letter.isprintable() or unicodedata.category(letter) == "Zs"


def say(text: str, err: bool = False, nl: bool = True) -> None:
    """Print what may hold names of servers and files: they are shown, and not obeyed.

    Letters that the terminal's encoding lacks, as with LC_ALL=fr_FR.ISO-8859-1, are shown as their codes.
    """
    stream = sys.stderr if err else sys.stdout
    encoding = stream.encoding or "utf-8"
    shown = plain(text).encode(encoding, "backslashreplace").decode(encoding)
    print(shown, end="\n" if nl else "", file=stream, flush=True)
