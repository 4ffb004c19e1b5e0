"""systemd.network(5): an address goes or comes, and all else stays to the byte."""

from ipaddress import ip_interface as at

import pytest

from bmnb.transfer.network import units
from bmnb.transfer.network.edit import Refused

PATH, DROPIN = "/etc/systemd/network/10-wan.network", "/etc/systemd/network/10-wan.network.d/more.conf"
GONE = [at("192.0.2.10/24")]
SIMPLE = """\
# written by the provider's installer
[Match]
MACAddress=52:54:00:12:34:56

[Network]
Address = 192.0.2.10/24
Address=192.0.2.11/24
Gateway=192.0.2.1
DNS=192.0.2.1
"""
SECTIONS = """\
[Match]
Name=en*

[Network]
DHCP=no

[Address]
# the public one
Address=192.0.2.10/24
Label=wan

[Address]
Address=2001:db8:0:0::10/64

[Route]
Gateway=192.0.2.1

[Route]
Destination=::/0
Gateway=fe80::1
"""


def test_one_of_two_addresses_goes_and_the_gateway_stays():
    assert units.off({PATH: SIMPLE}, GONE)[PATH] == SIMPLE.replace("Address = 192", "#bmnb Address = 192")


def test_a_section_goes_whole_with_the_route_that_only_it_reaches_and_the_address_of_ipv6():
    text = units.off({PATH: SECTIONS}, [*GONE, at("2001:db8::10/64")])[PATH]
    assert [line for line in text.split("\n") if line and not line.startswith("#")] == [
        "[Match]",
        "Name=en*",
        "[Network]",
        "DHCP=no",
        "[Route]",
        "Destination=::/0",
        "Gateway=fe80::1",
    ]
    assert "# the public one\n#bmnb Address=192.0.2.10/24\n#bmnb Label=wan\n" in text


@pytest.mark.parametrize("text", [SIMPLE, SECTIONS])
def test_the_address_comes_before_the_own_one(text: str):
    text = text.replace("192.0.2.10", "192.0.2.20").replace("::10/64", "::20/64")
    found = units.over({PATH: text}, at("192.0.2.20/24"), [at("192.0.2.10/24"), at("2001:db8::10/64")])[PATH]
    held = [str(one.ip) for one in units.addresses({PATH: found})]
    assert held[:2] == ["192.0.2.10", "192.0.2.20"]
    assert "2001:db8::10" in held
    assert [line for line in found.split("\n") if line in text.split("\n")] != []


def test_of_a_unit_and_its_drop_in_only_that_with_the_address_changes():
    texts = {PATH: "[Match]\nName=eth0\n[Network]\nDHCP=no\n", DROPIN: "[Network]\nAddress=192.0.2.10/24\n"}
    assert units.off(texts, GONE) == {DROPIN: "[Network]\n#bmnb Address=192.0.2.10/24\n"}


def test_an_empty_entry_resets_what_stood_before():
    texts = {
        PATH: "[Network]\nAddress=192.0.2.10/24\n",
        DROPIN: "[Network]\nAddress=\nAddress=192.0.2.11/24\n",
    }
    assert units.addresses(texts) == [at("192.0.2.11/24")]
    with pytest.raises(Refused, match=r"has no Address=192.0.2.10"):
        units.off(texts, GONE)


def test_what_is_not_understood_is_refused():
    with pytest.raises(Refused, match=r"line 2: 'Address 192.0.2.10/24' is neither"):
        units.off({PATH: "[Network]\nAddress 192.0.2.10/24\n"}, GONE)
    with pytest.raises(Refused, match="has no Address="):
        units.off({PATH: "[Network]\nDHCP=yes\n"}, GONE)
    text = "[Address]\nAddress=192.0.2.20/32\nPeer=192.0.2.1/32\n"
    with pytest.raises(Refused, match="point-to-point"):
        units.over({PATH: text}, at("192.0.2.20/32"), GONE)
