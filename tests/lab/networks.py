"""Two servers with nothing but a network, for tests of what configures it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

from bmnb.lab import identity, images
from bmnb.lab.network import Bridge
from bmnb.lab.server import Server

WORK = "/var/lib/bmnb/test"
NAMED = re.compile(r"\d+\.\d+\.\d+\.\d+/\d+")
"""Addresses and networks in a configuration."""


class Pair:
    """An origin and a target on one bridge; `bridge.address(10)` and (20) are theirs."""

    def __init__(self, bridge: Bridge, place: Path) -> None:
        self.bridge = bridge
        self.origin, self.target = (
            Server(
                name,
                f"{bridge.name}{name[0]}",
                place / name,
                bridge.name,
                bridge.address(host),
                (images.base(release, print),),
            )
            for name, host, release in (("origin", 10, "bullseye"), ("target", 20, "bookworm"))
        )

    @property
    def servers(self) -> tuple[Server, Server]:
        return self.origin, self.target

    def end(self) -> None:
        for server in self.servers:
            server.power_off()
            server.unmount()


@contextmanager
def pair(place: Path) -> Iterator[Pair]:
    with Bridge.free(place) as bridge:
        both = Pair(bridge, place)
        try:
            for server in both.servers:
                server.mount()
                identity.give(server.root, server.name, server.address, "networkd", "")
                server.start()
            yield both
        finally:
            both.end()


def configure(server: Server, files: Mapping[str, str], services: tuple[str, ...]) -> None:
    """Have a server's network configured by these files alone, and restart it."""
    away = "rm -rf /etc/systemd/network/* /etc/netplan/* /etc/NetworkManager/system-connections/* /etc/network/interfaces.d/*"
    server.must(
        f"{away}; printf 'auto lo\\niface lo inet loopback\\n' > /etc/network/interfaces; rm -rf {WORK}"
    )
    for path, text in files.items():
        place = quote(path)
        server.must(
            f"mkdir -p \"$(dirname {place})\"; umask 077; cat > {place} <<'END'\n{text.rstrip()}\nEND"
        )
        # systemd-networkd has a user of its own
        server.must(f"case {place} in /etc/systemd/*) chmod -R a+rX /etc/systemd/network ;; esac")
    for unit in ("systemd-networkd.service", "NetworkManager.service"):
        server.must(f"systemctl {'enable' if unit in services else 'disable'} {unit}")
    server.restart()
    server.wait()
    # systemd-networkd and NetworkManager are up before they have configured what they are told to
    for named in sorted({found for text in files.values() for found in NAMED.findall(text)}):
        server.must(
            f"timeout 60 bash -c 'until {{ ip addr; ip route; }} | grep -qF {named}; do sleep 0.2; done'"
        )
