"""The lab's own bridge: a network that no client has, with an end on this machine."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bmnb.errors import BmnbError
from bmnb.lab.host import HOME, call, succeeds

_made = count()


@dataclass(frozen=True)
class Bridge:
    """Bridge number n has 198.18.n.0/24, of the range set aside for such tests (RFC 2544); this machine is .1."""

    number: int

    @classmethod
    def free(cls, owner: Path = HOME) -> Bridge:
        """Make the first bridge whose number is not taken; its alias is the path of what owns it."""
        # it has its owner before it has its number, so that a maker who is killed leaves none without
        new = f"bmnb-{os.getpid()}-{next(_made) % 100}"
        call("ip", "link", "add", new, "type", "bridge")
        call("ip", "link", "set", new, "alias", str(owner))
        for number in range(256):
            bridge = cls(number)
            if succeeds(["ip", "link", "set", new, "name", bridge.name]):
                call("ip", "addr", "add", f"{bridge.address(1)}/24", "dev", bridge.name)
                call("ip", "link", "set", bridge.name, "up")
                return bridge
        remove_link(new)
        raise BmnbError("no bridge can be made: ip link add NAME type bridge")

    @property
    def name(self) -> str:
        return f"bmnb{self.number}"

    def address(self, host: int) -> str:
        return f"198.18.{self.number}.{host}"

    def remove(self) -> None:
        """Delete the bridge with the cables in it."""
        for link in links():
            if link.get("master") == self.name or re.fullmatch(rf"vb-{self.name}[a-z]", link["ifname"]):
                remove_link(link["ifname"])
        remove_link(self.name)

    def __enter__(self) -> Bridge:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def bridges() -> Iterator[tuple[Bridge, str]]:
    """All bridges of labs on this machine, each with the path of its owner."""
    for link in links():
        if found := re.fullmatch(r"bmnb(\d+)", link["ifname"]):
            yield Bridge(int(found[1])), link.get("ifalias", "")


def numberless() -> list[str]:
    """Bridges without a number whose maker is dead."""
    found = (re.fullmatch(r"bmnb-(\d+)-\d+", link["ifname"]) for link in links())
    return [one[0] for one in found if one and not Path("/proc", one[1]).exists()]


def remove_link(name: str) -> None:
    """Delete an interface if it is there. The kernel takes a while to delete those of a server that ended."""
    if succeeds(["ip", "link", "show", name]):
        succeeds(["ip", "link", "del", name])
    if succeeds(["ip", "link", "show", name]):
        raise BmnbError(f"the interface {name} cannot be deleted: ip link del {name}")


def links() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call("ip", "-json", "link", "show"))
    return found
