"""The clients of a fleet, each with its settings and wishes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bmnb.fleet.notices import Notices
from bmnb.fleet.wishes import Wishes


@dataclass(frozen=True)
class Member:
    """A client of the fleet: `source` is where its values stand, for messages."""

    name: str
    source: str
    values: Mapping[str, Any]
    wishes: Wishes = field(default_factory=Wishes)

    def as_json(self) -> str:
        """What stands in its client file; a time in it as text."""
        return json.dumps(dict(self.values), default=str)


@dataclass(frozen=True)
class Members:
    """All clients, how many of a group may be worked on at once, and what the inventory says of notices."""

    all: tuple[Member, ...]
    limits: Mapping[str, int]
    notices: Notices
