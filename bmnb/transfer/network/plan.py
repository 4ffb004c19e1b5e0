"""What would change in a server's configuration, for it to lose an address or to get one."""

import difflib
import glob
import ipaddress
import os
import re
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Set

from . import proving, running, system
from .edit import MARK, Refused
from .system import Source
from .values import Interface, among, interface

Plan = NamedTuple(
    "Plan",
    [
        ("source", Source),
        ("changed", Dict[str, str]),
        ("moving", List[Interface]),
        ("own", List[Interface]),
        ("proof", str),
    ],
)
"""`moving` are the addresses that go or come, the IPv4 one first; `own` is what the target has already."""

AT_START = (
    "/etc/network", "/etc/systemd/network", "/etc/netplan", "/etc/NetworkManager", "/etc/sysconfig/network-scripts",
    "/etc/sysconfig/network", "/etc/rc.local", "/etc/rc.d/rc.local", "/etc/keepalived", "/etc/systemd/system",
    "/etc/networkd-dispatcher", "/etc/cron.d", "/etc/crontab", "/var/spool/cron", "/etc/dhcpcd.conf", "/etc/local.d",
)  # fmt: skip
"""What may give a server its addresses."""
LARGE = 1 << 18
UNREAD = re.compile(r"(~|\.(bak|orig|old|save|dpkg-\w+|ucf-\w+|rpm(save|new|orig)|disabled))$")
"""Copies that nothing reads."""
OTHER_USE = re.compile(r"\b(dns|nameserver|search|gateway|via|ntp|fallback)", re.IGNORECASE)
FIRST_OF_TARGET = "give the target an address of its own on that network, in its configuration"
DHCP = (
    "write it into the configuration as a static one; or have the DHCP server reserve it for the target, and move "
    "it by hand"
)


def off(address: Interface) -> Plan:
    """The IPv4 address goes, and with it the static global addresses of IPv6 on its interface."""
    place = running.holder(address)
    if place.dynamic:
        raise Refused("{} was given by DHCP: the server would ask for it again".format(address.ip), DHCP)
    source = system.source_of(place.device)
    moving = [place.address, *sixes(source)]
    changed = system.without(source, moving)
    system.assert_stays(source, list(changed))
    return Plan(source, changed, moving, [], proving.prove(source, changed, [], moving))


def sixes(source: Source) -> List[Interface]:
    """What the files say and the interface has."""
    said = system.addresses(source)
    every = running.held(source.device)
    return [
        one.address
        for one in every
        if one.address.version == 6
        and one.scope == "global"
        and not one.dynamic
        and among(str(one.address.ip), said)
    ]


def over(address: Interface, more: Sequence[Interface] = ()) -> Plan:
    """The IPv4 address comes, with the prefix of the own one on its network, and those of IPv6 from the origin."""
    own = _own(address)
    source = system.source_of(own.device)
    new = [_interface(address, own.address.network.prefixlen), *more]
    changed = system.with_first(source, own.address, new)
    system.assert_stays(source, list(changed))
    return Plan(source, changed, new, [own.address], proving.prove(source, changed, [*new, own.address], []))


def _interface(address: Interface, prefix: int) -> Interface:
    found = interface("{}/{}".format(address.ip, prefix))
    assert found is not None
    return found


def _own(address: Interface) -> running.Held:
    fours = [
        one for one in running.held() if one.address.version == 4 and one.scope == "global" and not one.peer
    ]
    found = [one for one in fours if address.ip in one.address.network and one.address.ip != address.ip]
    if not found:
        raise Refused("no address of the target is on the network of {}".format(address.ip), FIRST_OF_TARGET)
    if len({one.device for one in found}) > 1:
        raise Refused(
            "several interfaces of the target are on the network of {}".format(address.ip),
            "leave one of them there",
        )
    if found[0].dynamic:
        raise Refused("{} was given by DHCP".format(found[0].address.ip), FIRST_OF_TARGET)
    return found[0]


def sixes_can_come(address: Interface) -> str:
    """Why no address of IPv6 could come beside; nothing where one could. It is tried with one of documentation."""
    try:
        over(address, [ipaddress.ip_interface("2001:db8::1/64")])
    except Refused as error:
        return str(error)
    return ""


def told(plan: Plan, server: str) -> Iterator[Dict[str, Any]]:
    """A row a file: which stanza changes, and how."""
    for path, text in sorted(plan.changed.items()):
        lines = list(
            difflib.unified_diff(plan.source.texts[path].split("\n"), text.split("\n"), lineterm="", n=1)
        )[2:]
        yield {
            "item": path,
            "server": server,
            "system": plan.source.kind,
            "interface": plan.source.device,
            "diff": "\n".join(line for line in lines if not line.startswith("@@")),
            "tried": plan.proof,
        }


def named_elsewhere(plan: Plan) -> List[Dict[str, str]]:
    """Lines that name what goes, in files that may give addresses when a server starts."""
    found = []
    texts = dict(plan.source.texts, **plan.changed)
    for path in sorted(_files() | set(texts)):
        text = texts.get(path) or system.read(path)
        for number, line in enumerate(text.split("\n"), 1):
            plain = line.strip()
            if not plain or plain[0] in "#;" or line.startswith(MARK) or OTHER_USE.search(plain):
                continue
            words = re.split(r"[^0-9A-Fa-f.:/]+", plain)
            if any(
                among(word.strip(":./"), [one]) or among(word, [one]) for word in words for one in plan.moving
            ):
                found.append({"item": "{}:{}".format(path, number), "line": plain})
    return found


def _files() -> Set[str]:
    found = set()  # type: Set[str]
    for place in AT_START:
        paths = [place] if os.path.isfile(place) else glob.glob(place + "/**/*", recursive=True)
        found.update(
            one
            for one in paths
            if os.path.isfile(one) and os.path.getsize(one) < LARGE and not UNREAD.search(one)
        )
    # a link to another of them is that other one
    return {one for one in found if not (os.path.islink(one) and os.path.realpath(one) in found)}
