"""The tables of a run: which columns each has, and what stands in them. They are the same in every language."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Kind(Enum):
    """What stands in a column; its value is the column's type in pandas. Where there is nothing, there is NA.

    Words and what was said are the project's own, and shown in the language in use; names and texts never are.
    Of words and names there are few, which come again and again.
    """

    COUNT = "Int64", "count"
    BYTES = "Int64", "bytes"
    REAL = "Float64", "real"
    RATE = "Float64", "bytes a second"
    FLAG = "boolean", "yes or no"
    MOMENT = "datetime64[ns, UTC]", "moment"
    DURATION = "timedelta64[ns]", "duration; in CSV: seconds"
    WORD = "category", "word"
    NAME = "category", "name"
    SAID = "string", "what was said"
    TEXT = "string", "text"

    @property
    def dtype(self) -> str:
        return self.value[0]

    @property
    def meaning(self) -> str:
        return self.value[1]


COUNT, BYTES, REAL, RATE, FLAG = Kind.COUNT, Kind.BYTES, Kind.REAL, Kind.RATE, Kind.FLAG
MOMENT, DURATION, WORD, NAME, SAID, TEXT = (
    Kind.MOMENT,
    Kind.DURATION,
    Kind.WORD,
    Kind.NAME,
    Kind.SAID,
    Kind.TEXT,
)

Columns = Mapping[str, Kind]

_OF_FILES = {
    "files": COUNT,
    "created": COUNT,
    "transferred": COUNT,
    "deleted": COUNT,
    "bytes": BYTES,
    "changed bytes": BYTES,
    "line bytes": BYTES,
    "bytes/s": RATE,
}

_OF_MAIL = {"mailbox": TEXT, "folders": COUNT, "messages": COUNT, "bytes": BYTES, "state": WORD}

TABLES: Mapping[str, Columns] = {
    "servers": {
        "server": NAME,
        "system": TEXT,
        "machine-id": TEXT,
        "host key": TEXT,
        "last command": SAID,
        "how it ended": WORD,
        "at": MOMENT,
    },
    "phases": {
        "phase": WORD,
        "began": MOMENT,
        "ended": MOMENT,
        "duration": DURATION,
        "forecast": DURATION,
        "users cut off": FLAG,
        "status": WORD,
    },
    "steps": {
        "step": WORD,
        "pass": COUNT,
        "phase": WORD,
        "began": MOMENT,
        "duration": DURATION,
        "status": WORD,
    },
    "passes": {
        "step": WORD,
        "pass": COUNT,
        "began": MOMENT,
        "duration": DURATION,
        **_OF_FILES,
        "starts": COUNT,
    },
    "files": {
        "step": WORD,
        "pass": COUNT,
        "tree": NAME,
        "how": WORD,
        "began": MOMENT,
        "duration": DURATION,
        **_OF_FILES,
    },
    "databases": {
        "step": WORD,
        "pass": COUNT,
        "at": MOMENT,
        "database": NAME,
        "table": NAME,
        "how": WORD,
        "rows": COUNT,
        "target rows": COUNT,
        "same": FLAG,
        "carried": COUNT,
        "removed": COUNT,
    },
    "downtime": {
        "port": NAME,
        "probes": COUNT,
        "misses": COUNT,
        "first miss": MOMENT,
        "answers again": MOMENT,
        "seconds away": DURATION,
    },
    "checks": {"step": WORD, "server": NAME, "what must hold": SAID, "seen": SAID, "status": WORD},
    "items": {
        "check": WORD,
        "item": TEXT,
        "what": SAID,
        "origin": TEXT,
        "target": TEXT,
        **_OF_MAIL,
        "place": TEXT,
        "named in": TEXT,
        "leads to": TEXT,
        "why": SAID,
        "server": NAME,
        "log": TEXT,
        "line": TEXT,
        "file system": TEXT,
        "entries": COUNT,
        "system": WORD,
        "interface": NAME,
        "diff": TEXT,
        "tried": SAID,
    },
    "changes": {"server": NAME, "change": WORD, "what": TEXT},
    "accepted": {
        "what must hold": SAID,
        "server": NAME,
        "difference": SAID,
        "who": TEXT,
        "why": TEXT,
        "at": MOMENT,
    },
    "manual": {"what": SAID, "server": NAME, "answer": TEXT, "who": TEXT, "at": MOMENT, "status": WORD},
    "notes": {"at": MOMENT, "who": TEXT, "note": TEXT, "file": TEXT},
    "commands": {
        "began": MOMENT,
        "server": NAME,
        "what": SAID,
        "command": TEXT,
        "exit": COUNT,
        "duration": DURATION,
        "status": WORD,
    },
}

STEP: Columns = {
    "pass": COUNT,
    "server": NAME,
    "kind": WORD,
    "action": SAID,
    "status": WORD,
    "began": MOMENT,
    "duration": DURATION,
    "attempts": COUNT,
    "exit": COUNT,
    "seen": SAID,
}
"""The columns that the table of every step has; those of what its actions counted come after them."""

KNOWN: Columns = {
    **_OF_FILES,
    **dict.fromkeys(("tables", "rows", "carried", "removed", "whole", "restored", "replicated"), COUNT),
    **dict.fromkeys(("dumped", "large", "streams", "entries", "by content", "read before"), COUNT),
    **dict.fromkeys(("same content", "folders looked at", "other facts differ"), COUNT),
    **{"behind": BYTES, "listing seconds": REAL, "starts in": REAL, "stops in": REAL},
}
"""What actions count under these names, whatever kind of number stands there."""


def with_others(columns: Columns, rows: list[Mapping[str, object]]) -> Columns:
    """The columns, and after them those that rows have beside; of what kind these are, their values tell."""
    others: dict[str, list[object]] = {}
    for row in rows:
        for name in row.keys() - columns.keys():
            others.setdefault(name, []).append(row[name])
    return {**columns, **{name: KNOWN.get(name) or _kind(others[name]) for name in _in_order(others, rows)}}


def _in_order(others: Mapping[str, object], rows: list[Mapping[str, object]]) -> dict[str, None]:
    return {name: None for row in rows for name in row if name in others}


def _kind(values: list[object]) -> Kind:
    there = [value for value in values if value not in ("", None)]
    if there and all(isinstance(value, bool) for value in there):
        return FLAG
    if there and all(isinstance(value, int) and not isinstance(value, bool) for value in there):
        return COUNT
    if there and all(isinstance(value, int | float) and not isinstance(value, bool) for value in there):
        return REAL
    return TEXT
