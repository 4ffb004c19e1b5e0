"""What an inventory asks for a client beyond its settings: when, in which order, who is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from bmnb.steps import slug
from bmnb.times import moment


@dataclass(frozen=True)
class Wishes:
    """When a client may be worked on. `downtime` is expected, in seconds; `groups` are those it counts in."""

    not_before: datetime | None = None
    not_after: datetime | None = None
    downtime: float | None = None
    priority: int = 0
    after: tuple[str, ...] = ()
    mail: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def as_json(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def from_json(cls, text: str) -> Wishes:
        found: dict[str, Any] = {
            key: tuple(one) if isinstance(one, list) else one for key, one in json.loads(text).items()
        }
        times = {key: moment(found[key]) for key in ("not_before", "not_after") if found[key]}
        return cls(**{**found, **times})


ASKED = {one.name for one in fields(Wishes)} - {"groups"}
"""The keys of an inventory that are wishes."""


def wishes(given: Mapping[str, Any], groups: tuple[str, ...]) -> tuple[Wishes, list[str]]:
    """What a client's entry in an inventory asks for, and what is wrong in it."""
    wrong, found = list[str](), dict[str, Any]()
    for key in ("not_before", "not_after"):
        try:
            found[key] = moment(given[key]) if key in given else None
        except ValueError as error:
            wrong.append(f"{key}: {error}")
    if found.get("not_before") and found.get("not_after") and found["not_before"] >= found["not_after"]:
        wrong.append("not_after: the window ends before it begins")
    if "downtime" in given and not is_count(given["downtime"]):
        wrong.append(f"downtime: {given['downtime']!r} is not a number of minutes")
    elif "downtime" in given:
        found["downtime"] = given["downtime"] * 60.0
    if not isinstance(given.get("priority", 0), int):
        wrong.append(f"priority: {given['priority']!r} is not a whole number")
    for key in ("after", "mail"):
        many = given.get(key, [])
        many = [many] if isinstance(many, str) else many
        if not isinstance(many, list) or not all(isinstance(one, str) for one in many):
            wrong.append(f"{key}: {many!r} is not a list of texts")
        else:
            found[key] = tuple(slug(one) if key == "after" else one for one in many)
    return Wishes(priority=given.get("priority", 0), groups=groups, **found) if not wrong else Wishes(), wrong


def is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
