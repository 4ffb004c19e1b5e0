"""Writing changed files, and taking back exactly that."""

import base64
import difflib
import json
import os
import shutil
import tempfile
from typing import Any, Dict, List, Optional

from .edit import Refused
from .system import read

State = Dict[str, Any]


def replace(path: str, text: str) -> None:
    """Give a file another content, whole or not at all. Links are written through; owner, mode and labels stay."""
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    descriptor, new = tempfile.mkstemp(prefix=".bmnb-", dir=folder)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            file.flush()
            shutil.copystat(path, new)
            owner = os.stat(path)
            os.chown(new, owner.st_uid, owner.st_gid)
            os.utime(new)
            os.fsync(file.fileno())
        os.rename(new, path)
    except BaseException:
        os.unlink(new)
        raise
    holder = os.open(folder, os.O_RDONLY)
    os.fsync(holder)
    os.close(holder)


def write(before: Dict[str, str], after: Dict[str, str]) -> None:
    """Write the files that are not written yet. Raise Refused where they are neither what they were nor what is wanted."""
    for path, text in after.items():
        now = read(path)
        if now == text:
            continue
        if now != before[path]:
            raise Refused("{} has changed since it was read".format(path), "see what has changed it")
        replace(path, text)
        if read(path) != text:
            raise Refused("{} has not become what was written".format(path), "see what else writes it")


def take_back(before: Dict[str, str], after: Dict[str, str]) -> None:
    """What was written is taken out again; what others have written since stays."""
    wanted = {path: _taken_back(path, before[path], after[path]) for path in before}
    for path, text in wanted.items():
        if text != read(path):
            replace(path, text)


def _taken_back(path: str, before: str, after: str) -> str:
    now = read(path)
    if now in (after, before):
        return before
    lines, theirs, ours = now.split("\n"), before.split("\n"), after.split("\n")
    changes = difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    for tag, first, last, other_first, other_last in reversed(changes):
        if tag == "equal":
            continue
        around = 0 if last > first else 1
        wrote = ours[max(0, first - around) : last + around]
        at = _only(lines, wrote)
        if at is None:
            raise Refused(
                "{} was changed where this run had changed it".format(path),
                "make of it by hand what this run has kept",
            )
        lead = first - max(0, first - around)
        lines[at + lead : at + lead + last - first] = theirs[other_first:other_last]
    return "\n".join(lines)


def _only(lines: List[str], wanted: List[str]) -> Optional[int]:
    found = [at for at in range(len(lines)) if lines[at : at + len(wanted)] == wanted]
    return found[0] if len(found) == 1 else None


def keep(path: str, state: State) -> None:
    """Write what is to be taken back, before it is done."""
    descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)


def kept(path: str) -> Optional[State]:
    if not os.path.exists(path):
        return None
    with open(path) as file:
        found = json.load(file)  # type: State
    return found


def packed(texts: Dict[str, str]) -> Dict[str, str]:
    """Texts with any bytes, for JSON."""
    return {
        path: base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
        for path, text in texts.items()
    }


def unpacked(texts: Dict[str, str]) -> Dict[str, str]:
    return {path: base64.b64decode(text).decode("utf-8", "surrogateescape") for path, text in texts.items()}
