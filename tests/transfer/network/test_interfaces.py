"""interfaces(5): an address goes or comes, and all else stays to the byte."""

from ipaddress import ip_interface as at
from pathlib import Path
from textwrap import dedent

import pytest

from bmnb.transfer.network import interfaces
from bmnb.transfer.network.edit import Refused

MAIN = interfaces.MAIN
GONE = [at("192.0.2.10/24")]
TABS = """\
# The loopback network interface
auto lo eth0
iface lo inet loopback

iface eth0 inet static
\taddress\t192.0.2.10
\tnetmask 255.255.255.0
\tgateway 192.0.2.1\x20\x20\x20
\tdns-nameservers 192.0.2.1
\tup ethtool -K eth0 tso off
"""


def off(text: str, gone=GONE, name: str = "eth0") -> str:
    return interfaces.off({MAIN: text}, [name], gone).get(MAIN, text)


def over(text: str, *new: str, name: str = "eth0", own: str = "192.0.2.20/24") -> str:
    return interfaces.over({MAIN: text}, [name], at(own), [at(one) for one in new or ("192.0.2.10/24",)])[
        MAIN
    ]


def test_a_stanza_without_its_address_stays_for_what_else_it_does():
    assert off(TABS) == TABS.replace("eth0 inet static", "eth0 inet manual").replace(
        "\taddress\t192.0.2.10\n\tnetmask 255.255.255.0\n\tgateway 192.0.2.1   \n",
        "#bmnb \taddress\t192.0.2.10\n#bmnb \tnetmask 255.255.255.0\n#bmnb \tgateway 192.0.2.1   \n",
    )


def test_the_address_comes_into_the_place_of_the_own_one_which_follows():
    text = TABS.replace("192.0.2.10", "192.0.2.20")
    own = "\niface eth0 inet static\n\taddress 192.0.2.20\n\tnetmask 255.255.255.0\n"
    assert over(text) == TABS + own


BRIDGE = """\
allow-hotplug eno1
iface eno1 inet manual

auto br0
iface br0 inet static
    bridge_ports eno1
    bridge_stp off
    address 192.0.2.10/24
    gateway 192.0.2.1

iface br0 inet6 static
    address 2001:DB8:0::10/64
    gateway fe80::1
"""


def test_a_bridge_is_made_still():
    assert "iface br0 inet manual\n    bridge_ports eno1\n    bridge_stp off\n#bmnb     address" in off(
        BRIDGE, name="br0"
    )


def test_an_address_of_ipv6_goes_with_it_however_it_is_written():
    text = off(BRIDGE, [*GONE, at("2001:db8::10/64")], "br0")
    assert "iface br0 inet6 manual\n#bmnb     address 2001:DB8:0::10/64\n" in text
    assert interfaces.addresses({MAIN: text}, ["br0"]) == []


def test_an_address_of_ipv6_comes_too():
    text = BRIDGE.replace("192.0.2.10", "192.0.2.20").replace("::10/64", "::20/64")
    found = over(text, "192.0.2.10/24", "2001:db8::10/64", name="br0")
    assert [str(one) for one in interfaces.addresses({MAIN: found}, ["br0"])] == [
        "192.0.2.10/24",
        "192.0.2.20/24",
        "2001:db8::10/64",
        "2001:db8::20/64",
    ]


ALIAS = """\
auto eth0 eth0:1
iface eth0 inet static
  address 192.0.2.5/24
  gateway 192.0.2.1
iface eth0:1 inet static
  address 192.0.2.10/24
"""


def test_an_alias_goes_whole_and_the_names_beside_it_are_brought_up():
    text = off(ALIAS)
    assert text.startswith("auto eth0\niface eth0 inet static\n  address 192.0.2.5/24\n  gateway 192.0.2.1\n")
    assert text.endswith("#bmnb iface eth0:1 inet static\n#bmnb   address 192.0.2.10/24\n")


def test_an_address_beside_an_alias_goes_and_the_alias_stays():
    text = off(ALIAS, [at("192.0.2.5/24")])
    assert "iface eth0 inet manual\n#bmnb   address 192.0.2.5/24\n  gateway" not in text.replace(
        "\n  gateway", ""
    )
    assert "iface eth0:1 inet static\n  address 192.0.2.10/24\n" in text


HOOKS = """\
auto eth0
iface eth0 inet static
  address 192.0.2.5/24
  up ip addr add 192.0.2.10/24 dev $IFACE label $IFACE:0
  down ip addr del 192.0.2.10/24 dev $IFACE
  post-up /sbin/ip route add 10.0.0.0/8 via 192.0.2.1
"""


def test_an_address_that_a_hook_adds_goes_with_what_deletes_it():
    text = off(HOOKS)
    assert text.count("#bmnb") == 2
    assert "  post-up /sbin/ip route add 10.0.0.0/8 via 192.0.2.1\n" in text


def test_a_route_goes_with_the_only_address_that_it_is_reached_by():
    only = HOOKS.replace("192.0.2.5", "198.51.100.5")
    assert "#bmnb   post-up /sbin/ip route" in off(only)


@pytest.mark.parametrize(
    "hook",
    [
        "up /usr/local/sbin/firewall 192.0.2.10",
        "up ip addr add 192.0.2.10/24 dev eth0; logger up",
        "post-up iptables -t nat -A POSTROUTING -j SNAT --to-source 192.0.2.10",
    ],
)
def test_a_hook_that_does_something_else_with_the_address_is_refused(hook: str):
    with pytest.raises(Refused, match="what that does is not known"):
        off(TABS + f"  {hook}\n")


@pytest.mark.parametrize(
    "text",
    [
        "auto eth0\niface eth0 inet dhcp\n",
        "iface eth0 inet static\n  address 192.0.2.100/24\n",
        "iface eth1 inet static\n  address 192.0.2.10/24\n",
        "iface eth0 inet static inherits template\n",
    ],
)
def test_an_address_that_no_stanza_has_is_refused(text: str):
    with pytest.raises(Refused, match=r"no static stanza of .* has 192.0.2.10"):
        off(text)


def test_a_line_that_goes_on_is_read_whole_and_not_changed():
    text = "iface eth0 inet static\n  address \\\n  192.0.2.10/24\n"
    assert interfaces.addresses({MAIN: text}, ["eth0"]) == GONE
    with pytest.raises(Refused, match="line 2 goes on in the next one"):
        off(text)


def test_a_line_that_is_in_no_stanza_is_refused():
    with pytest.raises(Refused, match="line 1: 'adress' is in no stanza"):
        off("adress 192.0.2.10\n")


def test_two_stanzas_with_the_own_address_are_refused():
    stanza = "iface eth0 inet static\n  address 192.0.2.20/24\n"
    with pytest.raises(Refused, match="2 stanzas of eth0 have the address"):
        over(stanza + stanza)


def test_a_point_to_point_address_is_refused():
    text = "iface eth0 inet static\n  address 192.0.2.20/32\n  pointopoint 192.0.2.1\n"
    with pytest.raises(Refused, match="point-to-point"):
        over(text, own="192.0.2.20/32")


def test_files_are_read_in_the_order_in_which_they_are_named(tmp_path):
    main, more = tmp_path / "interfaces", tmp_path / "interfaces.d"
    more.mkdir()
    main.write_text("source interfaces.d/*.cfg\nsource-directory interfaces.d\n")
    (more / "b.cfg").write_text("auto b\n")
    (more / "a.cfg").write_text(
        dedent(f"""\
        source {more}/deep
    """)
    )
    (more / "deep").write_text("auto deep\n")
    found = list(interfaces.named(lambda path: Path(path).read_text(), str(main)))
    assert [one.rpartition("/")[2] for one in found] == ["interfaces", "a.cfg", "deep", "b.cfg", "deep"]


def test_a_file_that_another_one_names_is_the_only_one_to_change():
    texts = {MAIN: "source /etc/network/interfaces.d/*\n", "/etc/network/interfaces.d/eth0": TABS}
    assert list(interfaces.off(texts, ["eth0"], GONE)) == ["/etc/network/interfaces.d/eth0"]
