"""Whatever the order, number and form of addresses: one goes or comes, and the others stay."""

from collections.abc import Callable, Sequence
from ipaddress import ip_interface as at
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmnb.transfer.network import ifcfg, interfaces, keyfile, netplan, units


class Form(NamedTuple):
    write: Callable[[Sequence[str]], str]
    addresses: Callable[[dict[str, str]], list[object]]
    off: Callable[[dict[str, str], list[object]], dict[str, str]]
    over: Callable[[dict[str, str], object, list[object]], dict[str, str]]


def of(module: object, write: Callable[[Sequence[str]], str]) -> Form:
    return Form(write, module.addresses, module.off, module.over)  # type: ignore[attr-defined]


def stanzas(addresses: Sequence[str]) -> str:
    return "auto eth0\n" + "".join(
        f"\niface eth0 inet static\n\taddress {one}\n\tmtu 1500\n" for one in addresses
    )


def with_netmasks(addresses: Sequence[str]) -> str:
    return "".join(
        f"iface eth0 inet static\n  netmask {at(one).netmask}\n  # first\n  address {at(one).ip}\n"
        for one in addresses
    )


def entries(addresses: Sequence[str]) -> str:
    return (
        "[Match]\nName=eth0\n\n[Network]\n"
        + "".join(f"Address={one}\n# next\n" for one in addresses)
        + "DHCP=no\n"
    )


def sections(addresses: Sequence[str]) -> str:
    return "[Match]\nName=eth0\n" + "".join(f"\n[Address]\nLabel=x\nAddress = {one}\n" for one in addresses)


def connection(addresses: Sequence[str]) -> str:
    lines = "".join(f"address{number}={one}\n" for number, one in enumerate(addresses, 1))
    return f"[connection]\nid=eth0\n\n[ipv4]\ndns=192.0.2.1;\n{lines}method=manual\n\n[ipv6]\nmethod=auto\n"


def variables(addresses: Sequence[str]) -> str:
    endings = ["", *map(str, range(1, len(addresses)))]
    pairs = zip(endings, map(at, addresses), strict=True)
    return "DEVICE=eth0\n" + "".join(
        f"IPADDR{end}={one.ip}\nPREFIX{end}={one.network.prefixlen}\n" for end, one in pairs
    )


def block(addresses: Sequence[str]) -> str:
    items = "".join(f"      - {one}  # an address\n" for one in addresses)
    return f"network:\n  ethernets:\n    eth0:\n      addresses:\n{items}      mtu: 1500\n"


def flow(addresses: Sequence[str]) -> str:
    items = ", ".join(f"'{one}'" for one in addresses)
    return f"network: {{ethernets: {{eth0: {{addresses: [ {items} ], mtu: 1500}}}}}}\n"


def named(texts: dict[str, str]) -> list[object]:
    return list(interfaces.addresses(texts, ["eth0"]))


def named_off(texts: dict[str, str], gone: list[object]) -> dict[str, str]:
    return interfaces.off(texts, ["eth0"], gone)


def named_over(texts: dict[str, str], own: object, new: list[object]) -> dict[str, str]:
    return interfaces.over(texts, ["eth0"], own, new)


FORMS = {
    "stanzas": Form(stanzas, named, named_off, named_over),
    "netmasks": Form(with_netmasks, named, named_off, named_over),
    "entries": of(units, entries),
    "sections": of(units, sections),
    "keyfile": of(keyfile, connection),
    "ifcfg": of(ifcfg, variables),
    "block": of(netplan, block),
    "flow": of(netplan, flow),
}
LISTS = st.lists(st.integers(1, 250), min_size=1, max_size=5, unique=True).map(
    lambda hosts: [f"192.0.2.{host}/24" for host in hosts]
)
NEW = at("192.0.2.251/24")


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=20, deadline=None)
@given(LISTS, st.data())
def test_one_goes_and_the_others_stay(form: str, addresses: list[str], data: st.DataObject):
    kind, gone = FORMS[form], at(data.draw(st.sampled_from(addresses)))
    before = {"file": kind.write(addresses)}
    assert kind.addresses(before) == [at(one) for one in addresses]
    after = {**before, **kind.off(before, [gone])}
    assert kind.addresses(after) == [at(one) for one in addresses if at(one) != gone]


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=20, deadline=None)
@given(LISTS, st.data())
def test_one_comes_before_the_own_one_and_nothing_is_lost(
    form: str, addresses: list[str], data: st.DataObject
):
    kind, own = FORMS[form], at(data.draw(st.sampled_from(addresses)))
    before = {"file": kind.write(addresses)}
    after = {**before, **kind.over(before, own, [NEW])}
    found = kind.addresses(after)
    assert [one for one in found if one != NEW] == [at(one) for one in addresses]
    assert found.index(NEW) <= found.index(own)
    # it may go again
    again = {**after, **kind.off(after, [NEW])}
    assert kind.addresses(again) == [at(one) for one in addresses]
