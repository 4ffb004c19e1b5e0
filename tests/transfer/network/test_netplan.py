"""netplan's YAML: an address goes or comes, and all else stays to the byte."""

from ipaddress import ip_interface as at

import pytest
import yaml

from bmnb.transfer.network import netplan
from bmnb.transfer.network.edit import Refused

PATH, MORE = "/etc/netplan/01-netcfg.yaml", "/etc/netplan/60-more.yaml"
GONE = [at("192.0.2.10/24")]
BLOCK = """\
network:
  version: 2
  renderer: networkd
  ethernets:
    # the uplink: 192.0.2.10
    wan:
      match: {macaddress: "52:54:00:12:34:56"}
      addresses: # public: both
      - 192.0.2.10/24 # mail
      - '2001:db8::10/64'
      routes:
        - to: default
          via: 192.0.2.1
        - to: "::/0"
          via: fe80::1
"""
FLOW = 'network: {version: 2, bridges: {br0: {interfaces: [eno1], addresses: ["192.0.2.10/24", 192.0.2.11/24]}}}\n'
LABEL = """\
network:
    version: 2
    vlans:
        vlan10:
            id: 10
            link: eno1
            gateway4: 192.0.2.1
            addresses:
                - 192.0.2.10/24:
                    label: "vlan10:1"
"""


def test_an_address_goes_and_comments_stay():
    text = netplan.off({PATH: BLOCK}, GONE)[PATH]
    assert (
        "      addresses: # public: both\n#bmnb       - 192.0.2.10/24 # mail\n      - '2001:db8::10/64'\n"
        in text
    )
    assert "#bmnb         - to: default\n#bmnb           via: 192.0.2.1\n        - to: " in text
    assert len(text.split("\n")) == len(BLOCK.split("\n"))


def test_without_any_address_the_list_is_empty():
    text = netplan.off({PATH: BLOCK}, [*GONE, at("2001:db8::10/64")])[PATH]
    assert yaml.safe_load(text)["network"]["ethernets"]["wan"]["addresses"] == []


@pytest.mark.parametrize("text", [BLOCK, FLOW, LABEL])
def test_an_address_goes_in_every_style(text: str):
    found = netplan.off({PATH: text}, GONE)[PATH]
    assert "192.0.2.10" not in {str(one.ip) for one in netplan.addresses({PATH: found})}
    assert len(netplan.addresses({PATH: found})) == len(netplan.addresses({PATH: text})) - 1


def test_one_of_a_flow_list_goes():
    text = netplan.off({PATH: FLOW}, GONE)[PATH]
    assert text == FLOW.replace('"192.0.2.10/24", ', "")


@pytest.mark.parametrize(
    "text", [BLOCK, FLOW, LABEL, LABEL.replace("/24:", '/24":').replace("- 192", '- "192')]
)
def test_an_address_comes_before_the_own_one_in_every_style(text: str):
    text = text.replace("192.0.2.10", "192.0.2.20").replace("::10/64", "::20/64")
    found = netplan.over({PATH: text}, at("192.0.2.20/24"), [at("192.0.2.10/24"), at("2001:db8::10/64")])[
        PATH
    ]
    held = [str(one.ip) for one in netplan.addresses({PATH: found})]
    assert held[:3] == ["192.0.2.10", "192.0.2.20", "2001:db8::10"]
    assert all(line in found for line in text.split("\n") if "192.0.2.20" not in line)


def test_of_several_files_only_that_with_the_address_changes():
    texts = {PATH: "network: {version: 2, ethernets: {eth0: {dhcp6: true}}}\n", MORE: FLOW}
    assert list(netplan.off(texts, GONE)) == [MORE]


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        ({PATH: FLOW, MORE: FLOW}, "2 places"),
        ({PATH: "network: {version: 2, ethernets: {eth0: {dhcp4: true}}}\n"}, "0 places"),
        (
            {
                PATH: "network:\n  ethernets:\n    a:\n      addresses: &x [192.0.2.10/24]\n    b:\n      addresses: *x\n"
            },
            "2 places",
        ),
    ],
)
def test_what_is_not_understood_is_refused(texts: dict[str, str], what: str):
    with pytest.raises(Refused, match=what):
        netplan.off(texts, GONE)


def test_a_list_that_two_devices_share_gets_nothing():
    text = "network:\n  ethernets:\n    a:\n      addresses: &x [192.0.2.20/24]\n    b: {addresses: [192.0.2.9/24]}\n"
    found = netplan.over({PATH: text}, at("192.0.2.20/24"), GONE)[PATH]
    assert yaml.safe_load(found)["network"]["ethernets"]["a"]["addresses"][0] == "192.0.2.10/24"
