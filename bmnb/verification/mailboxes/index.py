"""What Cyrus's own index says of a folder, read from its files while Cyrus is stopped.

The format is in Cyrus's imap/mailbox.h: a header, then records of one size, numbers big-endian. Minor versions 12 to 19
(Cyrus 2.4 to 3.8) have the fields that are read here at the same places.
"""

import os
import re
import struct
from typing import Dict, List, NamedTuple, Tuple

VERSIONS = range(12, 20)
HEADER = struct.Struct(">8xIIII20xI20xQ")
"""Minor version, start and size of the records, their number, UIDVALIDITY, HIGHESTMODSEQ."""
RECORD = struct.Struct(">I8xI16xI16s8x20s")
"""UID, size, system flags, user flags, sum of the message (SHA-1)."""
EXPUNGED, UNLINKED = 1 << 31, 1 << 30
SYSTEM = ("\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "\\Seen")

Message = Tuple[int, int, List[str], str]
"""UID, size, flags, sum."""


Header = NamedTuple("Header", [("name", str), ("flags", List[str]), ("rights", Dict[str, str])])
"""What cyrus.header says: a name where it has one (from 3.6 on), names of the flags, rights by user."""
Folder = NamedTuple("Folder", [("validity", int), ("modseq", int), ("messages", List[Message])])


def read_header(path: str) -> Header:
    """Raise ValueError where it is not of a known form."""
    with open(path, "rb") as file:
        text = file.read().decode(errors="surrogateescape")
    lines = text.split("\n")
    if len(lines) < 4 or "Cyrus mailbox header" not in lines[0]:
        raise ValueError("it has not the form of a cyrus.header")
    if lines[3].startswith("%("):
        return _listed("\n".join(lines[3:]))
    rights = lines[5].split("\t") if len(lines) > 5 else []
    return Header("", lines[4].split(), dict(zip(rights[::2], rights[1::2])))


def _listed(text: str) -> Header:
    """The form of a list: keys of one letter, each with a text or a list in brackets."""
    fields = dict(re.findall(r'[(\s](\w) (\([^)]*\)|%\([^)]*\)|"(?:[^"\\]|\\.)*"|[^\s()]+)', text))
    rights = re.findall(r'("(?:[^"\\]|\\.)*"|[^\s()%]+)', fields.get("A", ""))
    plain = [_plain(one) for one in rights]
    flags = re.findall(r"[^\s()]+", fields.get("U", ""))
    return Header(_plain(fields.get("N", "")), flags, dict(zip(plain[::2], plain[1::2])))


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def read_index(path: str, names: List[str]) -> Folder:
    """The messages that are not expunged. Raise ValueError where the format is unknown or the file is cut."""
    with open(path, "rb") as file:
        content = file.read()
    if len(content) < HEADER.size:
        raise ValueError("its header is cut")
    version, start, size, number, validity, modseq = HEADER.unpack_from(content)
    if version not in VERSIONS:
        raise ValueError("its format {} is not known here".format(version))
    if len(content) < start + size * number or size < RECORD.size:
        raise ValueError("it is to hold {} messages, and is cut".format(number))
    messages = []
    for at in range(start, start + size * number, size):
        uid, length, bits, user, total = RECORD.unpack_from(content, at)
        if not bits & (EXPUNGED | UNLINKED):
            messages.append((uid, length, _flags(bits, user, names), total.hex()))
    return Folder(validity, modseq, messages)


def _flags(bits: int, user: bytes, names: List[str]) -> List[str]:
    """Names of the flags. The user's are four numbers of 32 bits."""
    words = struct.unpack(">4I", user)
    own = [name for number, name in enumerate(names) if words[number // 32] >> number % 32 & 1]
    return [name for number, name in enumerate(SYSTEM) if bits >> number & 1] + own


def is_folder(place: str) -> bool:
    return os.path.isfile(os.path.join(place, "cyrus.index"))
