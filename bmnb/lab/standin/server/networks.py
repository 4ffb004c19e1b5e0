"""What BlueMind makes of My Networks when it is saved."""

from __future__ import annotations

import ipaddress
import re
import subprocess
import sys
import time

from .here import Fault


def sanitize(text: str, servers: list[str], own: list[str]) -> str:
    """Drop every `!`, add loopback, the servers and this server's own addresses, and lose the order."""
    given = [part.lstrip("!") for part in re.split(r"[,\s]+", text) if part]
    if not given:
        raise Fault("INVALID_PARAMETER", "My networks must not be empty")
    for one in given:
        _validate(one)
    added = [f"{address}/32" for address in (*servers, *own)]
    return ", ".join(sorted({*given, "127.0.0.0/8", *added}))


def _validate(network: str) -> None:
    try:
        ipaddress.ip_network(network, strict=False)
    except ValueError as error:
        raise Fault("INVALID_PARAMETER", f"Invalid network {network}") from error


def own_addresses() -> list[str]:
    """This server's IPv4 addresses, without loopback."""
    listed = subprocess.run(["ip", "-o", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    return [one for one in re.findall(r"inet ([\d.]+)/", listed) if not one.startswith("127.")]


def assert_own(*addresses: str) -> None:
    """A program does not start where its configuration names an address that the server does not have.

    The network may come up after it.
    """
    for _ in range(60):
        missing = {one for one in addresses if not one.startswith("127.")} - set(own_addresses())
        if not missing:
            return
        time.sleep(0.5)
    sys.exit(f"this server does not have {', '.join(sorted(missing))}")
