"""What a habit is: how an administrator has changed a server, and what must come of it in a migration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Carried:
    """The run ends well, and both servers hold the same.

    `on_origin` and `on_target` are scripts that succeed on that server afterwards; `check` is the title of a check
    whose record has the words `seen`.
    """

    what: str
    on_origin: str = ""
    on_target: str = ""
    check: str = ""
    seen: str = ""

    @property
    def told(self) -> str:
        return f"Carried: {self.what}"


@dataclass(frozen=True)
class Refused:
    """A check does not hold before anything is stopped: its title, words of what it has seen, words of its remedy.

    `step` is the one that it belongs to.
    """

    check: str
    seen: str
    remedy: str
    step: str = "prerequisites"

    @property
    def told(self) -> str:
        return f"Refused: “{self.check}” does not hold; {self.remedy} …"


@dataclass(frozen=True)
class Habit:
    """A change to the servers that `scripts` names by their roles; `undo` takes it back.

    The scripts run as root on the booted server, with `$ORIGIN` and `$TARGET`, the servers' addresses. Of the habits
    of one `place` a server can have one at a time.
    """

    name: str
    does: str
    comes: Carried | Refused
    scripts: Mapping[str, str]
    undo: Mapping[str, str] = field(default_factory=dict)
    place: str = ""

    @property
    def servers(self) -> str:
        return " and ".join(self.scripts)


def on_both(script: str) -> dict[str, str]:
    """The same script for origin and target."""
    return {"origin": script, "target": script}
