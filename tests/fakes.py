"""Servers that exist only here: a command's effect is a line in a list, and the world outlives a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bmnb.remote import UnitState
from bmnb.remote.connection import Identity
from bmnb.settings import setting
from bmnb.steps import Result


@dataclass
class World:
    """What has happened on the servers. `answers` tells how a line ends, in order; else it ends with 0."""

    effects: list[tuple[str, str]] = field(default_factory=list)
    units: dict[tuple[str, str], Result] = field(default_factory=dict)
    answers: dict[str, list[Result]] = field(default_factory=dict)
    before_effect: Callable[[str, str], None] = lambda host, line: None

    def servers(self, *_: object) -> FakeServers:
        return FakeServers(self)

    def count(self, line: str) -> int:
        return sum(done == line for _, done in self.effects)

    def answer(self, host: str, line: str) -> Result:
        waiting = self.answers.get(line)
        if not waiting:
            return Result(host, line, 0)
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


class FakeServers:
    """What the interpreter uses of `Servers`, on a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __enter__(self) -> FakeServers:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run(self, host: str, line: str, **_: Any) -> Result:
        return self.world.answer(host, line)

    def ask(self, host: str, line: str) -> Result:
        return self.run(host, line)

    def identity(self, host: str) -> Identity:
        return Identity(f"machine of {host}", "boot", host, "Debian", f"key of {host}")

    def pin(self, host: str, machine_id: str) -> None:
        pass

    def reach(self, host: str, hostname: str, via: str = "") -> None:
        pass

    def feed(self, source: str, line: str, host: str, unit: str) -> str:
        return "/dev/null"

    def start(self, host: str, unit: str, line: str, **_: Any) -> None:
        assert (host, unit) not in self.world.units, "a unit is started once"
        self.world.before_effect(host, line)
        self.world.effects.append((host, line))
        self.world.units[host, unit] = self.world.answer(host, line)

    def state(self, host: str, unit: str) -> UnitState:
        return UnitState.ENDED if (host, unit) in self.world.units else UnitState.ABSENT

    def follow(self, host: str, unit: str, **_: Any) -> Result | None:
        return self.world.units[host, unit]

    def glance(self, host: str, unit: str) -> Result | None:
        return self.world.units[host, unit]

    def stop(self, host: str, unit: str) -> None:
        pass

    def take(self, host: str, *_: object) -> Result:
        return Result(host, "take the lock", 0)

    def beat(self, host: str, session: str) -> None:
        pass

    def leave(self, host: str, session: str) -> Result:
        return Result(host, "leave the lock", 0)

    def release(self, host: str, session: str, run: str) -> Result:
        return Result(host, "release the lock", 0)

    def connected(self, host: str) -> bool:
        return True

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class FakeSettings:
    client: str = setting("fake", "client")
    address: str = setting("127.0.0.1", "address")
    through: str = setting("", "last phase")
    passes: int = setting(2, "number of passes")
    runs: str = setting("runs", "folder of the runs")
    folder: str = setting("", "folder of this run")
    ssh_config: str = setting("/nowhere", "ssh configuration")
    answers: dict[str, str] = setting({}, "answers")
    dry_run: bool = setting(False, "plan only")

    @property
    def addresses(self) -> tuple[str, ...]:
        return (self.address,)


def settings(folder: Path, **more: Any) -> FakeSettings:
    return FakeSettings(runs=str(folder), **more)
