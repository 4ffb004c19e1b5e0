"""What may not be written down: secrets are masked on their way into journal, logs, notebook and report."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

MASK = "[redacted]"

OF_USERS = r"pass(?:word|wd|phrase)|passwort|kennwort|mot\s+de\s+passe"
NAMES = rf"{OF_USERS}|pass|pgpassword|pwd|secret|token|api[_-]?key|private[_-]?key|credentials?"
SECRET_NAME = re.compile(rf"(?:^|[_-])(?:{NAMES})$", re.IGNORECASE)

REFERENCE = r"(?![\\]?\$|\[redacted\])"
"""A secret that is only referred to, such as $(...) and ${...}, may be read."""
BLANK = r"[^\S\r\n]"
WORD = r"""(?:(?<=")[^"\n]+|(?<=')[^'\n]+|[^\s"']+)"""
"""What is within quotation marks, or else up to the next blank."""

CURL = r"\bcurl\b[^\n|;]*?\s(?:-u|--user|-U|--proxy-user)[\s=]*"

NAMED = ("pass", "kennwort", "pwd", "secret", "token", "key", "creden")
OF_A_USER = ("pass", "kennwort")

PATTERNS = [
    # keys as OpenSSH, OpenSSL and PGP write them
    (
        ("-----begin ",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY[A-Z ]*-----.*?(?:-----END [A-Z ]*-----|\Z)", re.DOTALL),
    ),
    # the password of a URL, and a key that stands alone
    (("://",), re.compile(r"(?<=://)([^\s:/@]+:)[^\s/@]+(?=@)")),
    (("://",), re.compile(r"(https?://)[^\s:/@]+(?=@)", re.IGNORECASE)),
    # headers of HTTP; BlueMind's own is X-BM-ApiKey
    (
        ("author", "x-bm-ap", "cook"),
        re.compile(
            r"((?:authorization|x-bm-apikey|cookie|set-cookie)[\"']?\s*[:=]\s*[\"']?)[^\r\n\"']+",
            re.IGNORECASE,
        ),
    ),
    # crypt(3), Apache's own and bcrypt hashes, {SSHA} and the like
    (
        ("$", "{s"),
        re.compile(r"\$(?:1|2[abxy]|5|6|7|y|apr1)\$[./A-Za-z0-9$=]{8,}|\{S?SHA\d*\}[A-Za-z0-9+/=]{16,}"),
    ),
    # JSON web tokens
    (("eyj",), re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*")),
    # options of curl, sshpass and others, and SQL
    (("curl",), re.compile(rf"""({CURL}["'][^:"'\n]+:){REFERENCE}[^"'\n]+""")),
    (("curl",), re.compile(rf"""({CURL}[^\s:"']+:){REFERENCE}[^\s"']+""")),
    (("sshpass",), re.compile(rf"""(\bsshpass\s+(?:-\w\s+)*-p\s*["']?){REFERENCE}{WORD}""")),
    (NAMED, re.compile(rf"""(--(?:{NAMES})\s+["']?){REFERENCE}(?!-|\s){WORD}""")),
    (OF_A_USER, re.compile(rf"""(\b(?:{OF_USERS})\s+(?:E|U&)?["']){REFERENCE}{WORD}""", re.IGNORECASE)),
    # a password in a sentence or a dialogue, where it may have blanks; not a file's name before its error
    (
        OF_A_USER,
        re.compile(
            rf"""((?<![/\w])(?:{OF_USERS}){BLANK}*:{BLANK}+){REFERENCE}(?!["'])[^\r\n"'<]+?(?=[,;]\s|["'\r\n<]|$)""",
            re.IGNORECASE,
        ),
    ),
    # name=value and name: value, but no word of the shell
    (
        NAMED,
        re.compile(
            rf"""((?:\b|_)(?:{NAMES})["']?\s*[=:]\s*["']){REFERENCE}(?:(?<=")[^"\n]+(?=")|(?<=')[^'\n]+(?='))""",
            re.IGNORECASE,
        ),
    ),
    (
        NAMED,
        re.compile(
            # what is told of a parameter such as 'hot_pass' is a sentence
            rf"""((?:\b|_)(?:{NAMES})(?:(?<!pass)["'])?\s*[=:]\s*["']?){REFERENCE}(?!\s|["']|s?/)[^\s"',;]+""",
            re.IGNORECASE,
        ),
    ),
]
"""What a secret looks like, each with parts of words of which one is there, in small letters: most texts have none."""


class Secret:
    """A text that is never written down: whoever needs it has it revealed."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, _: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")

    def reveal(self) -> str:
        return self._value


def text(value: str) -> str:
    """The text with what looks like a secret masked."""
    folded = value.casefold()
    for parts, pattern in PATTERNS:
        if any(part in folded for part in parts):
            value = pattern.sub(lambda found: (found[1] if found.re.groups else "") + MASK, value)
    return value


def facts(value: Any, mask: Callable[[str], str] = text) -> Any:
    """The same for all texts in lists and mappings; what a secret's name stands for is masked whole.

    `mask` may be a `text` that remembers, for who asks again and again.
    """
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {
            key: MASK if one and isinstance(one, str) and SECRET_NAME.search(str(key)) else facts(one, mask)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [facts(one, mask) for one in value]
    return value
