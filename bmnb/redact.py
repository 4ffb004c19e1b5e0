"""What may not be written down: secrets are masked on their way into journal, logs, notebook and report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "[redacted]"

NAMES = r"pass(?:word|wd|phrase)?|pgpassword|pwd|secret|token|api[_-]?key|private[_-]?key|credentials?"
SECRET_NAME = re.compile(rf"(?:^|[_-])(?:{NAMES})$", re.IGNORECASE)

PATTERNS = [
    # keys as OpenSSH, OpenSSL and PGP write them
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY[A-Z ]*-----.*?(?:-----END [A-Z ]*-----|\Z)", re.DOTALL),
    # the password of a URL
    re.compile(r"(?<=://)([^\s:/@]+:)[^\s/@]+(?=@)"),
    # headers of HTTP; BlueMind's own is X-BM-ApiKey
    re.compile(
        r"((?:authorization|x-bm-apikey|cookie|set-cookie)[\"']?\s*[:=]\s*[\"']?)[^\r\n\"']+", re.IGNORECASE
    ),
    # crypt(3), Apache's own and bcrypt hashes, {SSHA} and the like
    re.compile(r"\$(?:1|2[abxy]|5|6|7|y|apr1)\$[./A-Za-z0-9$=]{8,}|\{S?SHA\d*\}[A-Za-z0-9+/=]{16,}"),
    # JSON web tokens
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"),
    # name=value and name: value, but no reference such as $(...), ${...} or a word of the shell
    re.compile(
        rf"""((?:\b|_)(?:{NAMES})["']?\s*[=:]\s*["']?)(?![\\]?\$|\s|["']|\[redacted\]|s?/)[^\s"',;]+""",
        re.IGNORECASE,
    ),
]


class Secret(str):
    """A text that is never written down, whatever it looks like."""

    def __repr__(self) -> str:
        return MASK


def text(value: str) -> str:
    """The text with what looks like a secret masked."""
    if isinstance(value, Secret):
        return MASK
    for pattern in PATTERNS:
        value = pattern.sub(lambda found: (found[1] if found.re.groups else "") + MASK, value)
    return value


def facts(value: Any) -> Any:
    """The same for all texts in lists and mappings; what a secret's name stands for is masked whole."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {
            key: MASK if one and isinstance(one, str) and SECRET_NAME.search(str(key)) else facts(one)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [facts(one) for one in value]
    return value
