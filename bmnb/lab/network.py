"""The lab's own bridge: a network that no client has, with an end on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from bmnb.errors import BmnbError
from bmnb.lab.host import call, succeeds


@dataclass(frozen=True)
class Bridge:
    """Bridge number n has 198.18.n.0/24, of the range set aside for such tests (RFC 2544); this machine is .1."""

    number: int

    @classmethod
    def free(cls) -> Bridge:
        """Make the first bridge whose number is not taken."""
        for number in range(256):
            bridge = cls(number)
            if succeeds(["ip", "link", "add", bridge.name, "type", "bridge"]):
                call("ip", "addr", "add", f"{bridge.address(1)}/24", "dev", bridge.name)
                call("ip", "link", "set", bridge.name, "up")
                return bridge
        raise BmnbError("no bridge can be made: ip link add NAME type bridge")

    @property
    def name(self) -> str:
        return f"bmnb{self.number}"

    def address(self, host: int) -> str:
        return f"198.18.{self.number}.{host}"

    def remove(self) -> None:
        remove_link(self.name)

    def __enter__(self) -> Bridge:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def remove_link(name: str) -> None:
    """Delete an interface if it is there. The kernel takes a while to delete those of a server that ended."""
    if succeeds(["ip", "link", "show", name]):
        succeeds(["ip", "link", "del", name])
    if succeeds(["ip", "link", "show", name]):
        raise BmnbError(f"the interface {name} cannot be deleted: ip link del {name}")
