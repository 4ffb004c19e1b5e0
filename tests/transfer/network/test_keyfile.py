"""NetworkManager's keyfiles: an address goes or comes, and all else stays to the byte."""

from ipaddress import ip_interface as at

import pytest

from bmnb.transfer.network import keyfile
from bmnb.transfer.network.edit import Refused

PATH = "/etc/NetworkManager/system-connections/ens3.nmconnection"
GONE = [at("192.0.2.10/24")]
ONE = """\
[connection]
id=ens3
uuid=7f2d0f9c-5a3d-4a5e-9d5c-2f0f4a5e9d5c
type=ethernet
interface-name=ens3

[ethernet]

[ipv4]
address1=192.0.2.10/24,192.0.2.1
dns=192.0.2.1;
method=manual

[ipv6]
address1=2001:db8::10/64,fe80::1
method=manual
"""
TWO = ONE.replace("dns=", "address2=192.0.2.11/24\ndns=")


def test_without_its_only_address_a_connection_has_no_ipv4():
    text = keyfile.off({PATH: ONE}, GONE)[PATH]
    assert "[ipv4]\nmethod=disabled\n#bmnb address1=192.0.2.10/24,192.0.2.1\n#bmnb dns=192.0.2.1;\n" in text
    assert text.endswith(ONE[ONE.index("[ipv6]") :])


def test_one_of_two_addresses_goes():
    text = keyfile.off({PATH: TWO}, [at("192.0.2.11/24")])[PATH]
    assert text == TWO.replace("address2=", "#bmnb address2=")


def test_those_of_ipv6_go_with_it():
    text = keyfile.off({PATH: ONE}, [*GONE, at("2001:db8:0::10/64")])[PATH]
    assert keyfile.addresses({PATH: text}) == []
    assert "[ipv6]\nmethod=link-local\n" in text


def test_the_address_comes_before_the_own_ones_and_gateways_stay():
    text = TWO.replace("192.0.2.10", "192.0.2.20").replace("::10/64", "::20/64")
    found = keyfile.over({PATH: text}, at("192.0.2.20/24"), [at("192.0.2.10/24"), at("2001:db8::10/64")])[
        PATH
    ]
    assert [str(one.ip) for one in keyfile.addresses({PATH: found})] == [
        "192.0.2.10",
        "192.0.2.20",
        "192.0.2.11",
        "2001:db8::20",
        "2001:db8::10",
    ]
    assert "address1=192.0.2.10/24\naddress2=192.0.2.20/24,192.0.2.1\naddress3=192.0.2.11/24\n" in found


def test_an_address_of_ipv6_comes_where_there_was_none():
    text = ONE[: ONE.index("[ipv6]")].replace("192.0.2.10", "192.0.2.20") + "[ipv6]\nmethod=ignore\n"
    found = keyfile.over({PATH: text}, at("192.0.2.20/24"), [at("192.0.2.10/24"), at("2001:db8::10/64")])[
        PATH
    ]
    assert found.endswith("[ipv6]\nmethod=manual\naddress1=2001:db8::10/64\n")


@pytest.mark.parametrize(
    "section",
    ["[ipv4]\nmethod=auto\n", "[ipv4]\naddresses=192.0.2.10/24;192.0.2.11/24;\nmethod=manual\n", ""],
)
def test_what_is_not_understood_is_refused(section: str):
    with pytest.raises(Refused):
        keyfile.off({PATH: ONE[: ONE.index("[ipv4]")] + section}, GONE)
