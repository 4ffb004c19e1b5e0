"""Addresses and routes as the kernel has them now, and those who are to follow the files."""

import os
import re
import shutil
import socket
import struct
import subprocess
import time
from typing import Iterable, List, NamedTuple, Sequence

from . import system
from .edit import Refused
from .system import Source, ask
from .values import Interface, among, interface

Held = NamedTuple(
    "Held", [("device", str), ("address", Interface), ("scope", str), ("peer", str), ("dynamic", bool)]
)
SETTLED_SECONDS = 0.5
"""How long those who read the files again may take to act on that."""
SETTLED_BACK_SECONDS = 3.0
"""The same on the way back, where a busy server may take longer, and the other one is reached through this one."""
PARKED_PREFIX = 31
"""Of the link-local addresses that `park` gives; those that a system gives itself are of a /16 (RFC 3927)."""
POLL_SECONDS = 0.05
TRIES = 20
"""With as many polls between them they take longer than who reads the files again."""


def do(*command: str) -> str:
    """What a program says. Raise Refused where it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        what = "{}: {}".format(" ".join(command), done.stderr.decode(errors="replace").strip())
        raise Refused(what, "see why that fails")
    return done.stdout.decode(errors="surrogateescape")


def held(device: str = "") -> List[Held]:
    """All addresses, or those of one interface, in the kernel's order."""
    found = []
    for line in do("ip", "-o", "addr", "show", *(["dev", device] if device else [])).splitlines():
        words = line.replace("\\", " ").split()
        if len(words) < 4 or words[2] not in ("inet", "inet6"):
            continue
        peer = words[words.index("peer") + 1] if "peer" in words else ""
        prefix = (peer or words[3]).partition("/")[2]
        address = interface(words[3] if "/" in words[3] else "{}/{}".format(words[3], prefix))
        scope = words[words.index("scope") + 1]
        found.append(Held(words[1], address, scope, peer, "dynamic" in words))
    return found


def holder(address: Interface) -> Held:
    found = [one for one in held() if one.address.ip == address.ip]
    if len(found) != 1:
        raise Refused("{} interfaces have {}".format(len(found), address.ip), "give it to one interface")
    return found[0]


def ways() -> List[str]:
    """The routes that go by a router, as `ip route` takes them."""
    every = ask("ip", "-4", "route", "show", "table", "all") + ask(
        "ip", "-6", "route", "show", "table", "all"
    )
    flags = r" (linkdown|dead|pref \w+|expires \S+|error \S+|hoplimit \d+)(?= |$)"
    return [
        re.sub(flags, "", line).strip()
        for line in every.splitlines()
        if " via " in line and " proto ra " not in line
    ]


def put_ways(routes: Iterable[str]) -> None:
    """The kernel forgets routes with the address that they went by. What can't be reached any more is left out."""
    now = ways()
    for route in routes:
        if route not in now:
            family = "-6" if ":" in route.split(" via ")[1].split()[0] else "-4"
            ask("ip", family, "route", "replace", *route.split())


def drop(addresses: Iterable[Interface]) -> None:
    """Take them off. With the first of a network the kernel may take the others of it, which are put back."""
    before = held()
    for one in before:
        if among(str(one.address.ip), addresses) and one.address in [
            other.address for other in held(one.device)
        ]:
            do("ip", "addr", "del", str(one.address), "dev", one.device)
    now = [one.address for one in held()]
    for one in before:
        lost = one.address not in now and not among(str(one.address.ip), addresses)
        if lost and one.scope == "global" and not one.peer:
            add(one.device, [one.address])


def add(device: str, addresses: Iterable[Interface]) -> None:
    for one in addresses:
        if one.version == 4:
            broadcast = ["brd", "+"] if one.network.prefixlen < 31 else []
            do("ip", "addr", "replace", str(one), *broadcast, "dev", device)
        else:
            do("ip", "-6", "addr", "replace", str(one), "dev", device, "nodad")


def of_network(device: str, address: Interface) -> List[Interface]:
    """All addresses of the interface on this one's network, the one that it sends from first."""
    every = [
        one for one in held(device) if one.address.version == 4 and one.scope == "global" and not one.peer
    ]
    return [one.address for one in every if one.address.network == address.network]


def make_first(device: str, new: Interface) -> None:
    """Have the address before all others of its network: servers are known by what they send from.

    Raise Refused where it does not come to be so.
    """
    for _ in range(TRIES):
        there = of_network(device, new)
        if there[:1] == [new]:
            return
        wanted = [new] + [one for one in there if one.ip != new.ip]
        lines = ["addr del {} dev {}".format(one, device) for one in reversed(there)]
        lines += ["addr replace {} brd + dev {}".format(one, device) for one in wanted]
        # who reads the files anew may add or take one at the same time: what stands there in the end counts
        subprocess.run(["ip", "-force", "-batch", "-"], input=("\n".join(lines) + "\n").encode())
        time.sleep(POLL_SECONDS)
    raise Refused(
        "{} does not come before the other addresses of {}".format(new.ip, device),
        "find out what configures that interface at the same time",
    )


def stay_beside(before: Sequence[Held], seconds: float = 0.0) -> None:
    """Put back what `park` gave and a reload took, for so long: the connection goes by it."""
    until = time.monotonic() + seconds
    ours = [one for one in before if one.scope == "link" and one.address.network.prefixlen == PARKED_PREFIX]
    while True:
        now = [one.address.ip for one in held()]
        for one in ours:
            if one.address.ip not in now:
                do("ip", "addr", "replace", str(one.address), "dev", one.device, "scope", "link")
        if time.monotonic() >= until:
            return
        time.sleep(POLL_SECONDS)


def follow(source: Source) -> bool:
    """Have those who keep the configuration in memory read the files again; whether there is anybody."""
    if source.kind == system.NETPLAN:
        do("netplan", "generate")
    if source.by == system.NETWORKMANAGER:
        do("nmcli", "connection", "reload")
        do("nmcli", "device", "reapply", source.device)
    elif source.kind in (system.NETWORKD, system.NETPLAN) and not _succeeds("networkctl", "reload"):
        # before systemd 244
        do("systemctl", "restart", "systemd-networkd")
    return source.by == system.NETWORKMANAGER or source.kind in (system.NETWORKD, system.NETPLAN)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def stay_off(addresses: Sequence[Interface], seconds: float) -> None:
    """Have them off until nothing has brought them back for so long. Raise Refused where something does."""
    until, tries = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        if any(among(str(one.address.ip), addresses) for one in held()):
            tries += 1
            if tries > 5:
                raise Refused(
                    "something gives this server {} again".format(addresses[0].ip), "find out what does"
                )
            drop(addresses)
            until = time.monotonic() + seconds
        time.sleep(POLL_SECONDS)


def stay_on(device: str, addresses: Sequence[Interface], first: bool, seconds: float) -> None:
    """Have them there for so long; the first one before all others of its network."""
    until = time.monotonic() + seconds
    while True:
        now = [one.address.ip for one in held(device)]
        add(device, [one for one in addresses if one.ip not in now])
        if first:
            make_first(device, addresses[0])
        if time.monotonic() >= until:
            return
        time.sleep(POLL_SECONDS)


def announce(device: str, addresses: Iterable[Interface]) -> None:
    """Tell the neighbours who has the addresses, at once and a second later."""
    for one in addresses:
        if one.version == 4 and shutil.which("arping"):
            subprocess.Popen(
                ["timeout", "1.5", "arping", "-U", "-I", device, str(one.ip)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        elif one.version == 6:
            _advertise(device, one)


def _advertise(device: str, address: Interface) -> None:
    """An unsolicited neighbour advertisement (RFC 4861, 4.4) to all nodes; the kernel adds its sum."""
    with open("/sys/class/net/{}/address".format(device)) as file:
        link = bytes(int(part, 16) for part in file.read().strip().split(":"))
    override = 0x20000000
    packet = struct.pack("!BBHI", 136, 0, 0, override) + address.ip.packed + struct.pack("!BB", 2, 1) + link
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as out:
        out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        try:
            out.bind((str(address.ip), 0))
            out.sendto(packet, ("ff02::1", 0, 0, socket.if_nametoindex(device)))
        except OSError as error:
            # those who are not told find out when they get no answer
            print("nobody was told who has {}: {}".format(address.ip, error))


def exists(device: str) -> bool:
    return os.path.exists("/sys/class/net/" + device)
