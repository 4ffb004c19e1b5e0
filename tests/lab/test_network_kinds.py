"""The address moves in every kind of network configuration, stays moved over a restart, and comes back to the byte."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bmnb.lab.server import Server
from bmnb.steps import Result, Verdict
from bmnb.transfer import address, placing
from tests.lab.networks import WORK, Pair, configure, pair

pytestmark = pytest.mark.lab
NETWORKD, NETWORKMANAGER = "systemd-networkd.service", "NetworkManager.service"

IFUPDOWN = {
    "/etc/network/interfaces": "source-directory interfaces.d\nsource /etc/network/interfaces.d/*.cfg\nauto lo\niface lo inet loopback\n",
    "/etc/network/interfaces.d/host0.cfg": """\
# the uplink
auto\thost0   host0:1
iface host0 inet static
\taddress\tNET.HOST
\tnetmask 255.255.255.0
\tup ip addr add 203.0.113.HOST/28 dev $IFACE
\tup ip route add 192.0.2.0/24 via NET.1
iface host0:1 inet static
\taddress 198.51.100.HOST/24
iface host0 inet6 static
\taddress fd00:18::HOST/64
""",
}
BRIDGE = {
    "/etc/systemd/network/10-br0.netdev": "[NetDev]\nName=br0\nKind=bridge",
    "/etc/systemd/network/20-host0.network": "[Match]\nName=host0\n[Network]\nBridge=br0",
    "/etc/systemd/network/30-br0.network": "[Match]\nName=br0\n[Network]\nAddress=198.51.100.HOST/24",
    "/etc/systemd/network/30-br0.network.d/more.conf": """\
[Address]
# the public one
Address=NET.HOST/24

[Address]
Address=fd00:18::HOST/64

[Route]
Gateway=NET.1
Destination=192.0.2.0/24
""",
}
VLAN = {
    "/etc/systemd/network/10-v5.netdev": "[NetDev]\nName=v5\nKind=vlan\n[VLAN]\nId=5",
    "/etc/systemd/network/20-host0.network": "[Match]\nName=host0\n[Network]\nVLAN=v5\nLinkLocalAddressing=no",
    "/etc/systemd/network/30-v5.network": "[Match]\nName=v5\n[Network]\nAddress = NET.HOST/24",
}
NETPLAN = {
    "/etc/netplan/01-base.yaml": """\
network:
  version: 2
  renderer: networkd
  ethernets:
    host0: {}
  bridges:
    br0: {interfaces: [host0], addresses: ["NET.HOST/24", 'fd00:18::HOST/64']}
""",
    "/etc/netplan/60-more.yaml": """\
network:
  bridges:
    br0:
      addresses:  # of the backup's network
        - 198.51.100.HOST/24
      routes:
        - to: 192.0.2.0/24
          via: NET.1
""",
}
NETPLAN_NM = {
    "/etc/netplan/01-nm.yaml": """\
network:
    version: 2
    renderer: NetworkManager
    ethernets:
        host0:
            addresses:
            -   NET.HOST/24   # mail
            -   "fd00:18::HOST/64"
"""
}
KEYFILE = {
    "/etc/NetworkManager/system-connections/Wired connection 1.nmconnection": """\
[connection]
id=Wired connection 1
uuid=0f1c0e9a-4a54-4c0b-8d39-0f0c6b0c5a11
type=ethernet
interface-name=host0

[ipv4]
# the public one
address1=NET.HOST/24
address2=198.51.100.HOST/24
route1=192.0.2.0/24,NET.1
method=manual

[ipv6]
address1=fd00:18::HOST/64
method=manual
"""
}
KINDS = {
    "ifupdown": (IFUPDOWN, ()),
    "networkd, a bridge": (BRIDGE, (NETWORKD,)),
    "networkd, a VLAN": (VLAN, (NETWORKD,)),
    "netplan, a bridge": (NETPLAN, (NETWORKD,)),
    "netplan by NetworkManager": (NETPLAN_NM, (NETWORKMANAGER,)),
    "NetworkManager": (KEYFILE, (NETWORKMANAGER,)),
}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("pair")) as up:
        yield up


def files(kind: dict[str, str], server: Server) -> dict[str, str]:
    net, _, host = server.address.rpartition(".")
    return {path: text.replace("NET", net).replace("HOST", host) for path, text in kind.items()}


def told(server: Server, line: str, text: str = "") -> Result:
    done = server.run(f"(\n{line}\n) <<'END'\n{text}\nEND")
    return Result(server.name, line, done.returncode, done.stdout, done.stderr)


def does(server: Server, line: str, text: str = "") -> str:
    done = told(server, line, text)
    assert done.ok, done.stderr
    return done.stdout


def prove(two: Pair) -> Verdict:
    moved = two.origin.address
    return address.can_move(
        told(two.origin, address.try_off(moved), address.CODE),
        told(two.target, address.try_over(moved), address.CODE),
    )


def addresses(server: Server) -> list[str]:
    return server.must("ip -o addr show scope global | awk '{print $2, $4}'").splitlines()


def configuration(server: Server) -> str:
    return server.must(
        "cd /etc; find network netplan NetworkManager systemd/network -type f -exec stat -c '%n %a %U' {} + -exec md5sum {} + | sort"
    )


def restart(two: Pair) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda server: (server.restart(), server.wait()), two.servers))


def switch(two: Pair) -> None:
    moved = two.origin.address
    for server in two.servers:
        does(server, placing.place(WORK, address.PROGRAMS), address.CODE)
    does(two.target, address.keep_moving(WORK), does(two.origin, address.moving(WORK, moved)))
    does(two.origin, address.take_off(WORK, moved))
    assert address.free(told(two.target, address.who_holds(moved, 0.2))).holds
    does(two.target, address.take_over(WORK, moved))


def has_it(two: Pair, six: bool) -> None:
    """The target has the address, as the one that it sends from; the origin has nothing of it."""
    moved = two.origin.address
    assert not [one for one in addresses(two.origin) if f" {moved}/" in one or "fd00:18::10/" in one]
    assert (
        moved
        == two.target.must(
            f"ip -o route get {two.bridge.address(1)} | grep -o 'src [^ ]*' | cut -c 5-"
        ).strip()
    )
    there = addresses(two.target)
    assert any(f" {two.target.address}/24" in one for one in there)
    assert any("fd00:18::10/64" in one for one in there) == six
    assert any("fd00:18::20/64" in one for one in there) == six


HAS_VLANS = "ip link add lan type veth peer name far && ip link add link lan name lan.5 type vlan id 5"


@pytest.mark.parametrize("kind", KINDS)
def test_the_address_moves(two: Pair, kind: str):
    given, services = KINDS[kind]
    if given is VLAN and subprocess.run(["unshare", "-n", "bash", "-c", HAS_VLANS], check=False).returncode:
        pytest.skip("Linux of this machine has no VLANs")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda server: configure(server, files(given, server), services), two.servers))
    six = any("fd00" in text for text in given.values())
    before = [(addresses(server), configuration(server), server.must("ip route")) for server in two.servers]

    verdict = prove(two)
    assert verdict.holds, verdict.seen
    assert {row["server"] for row in verdict.items} == {"origin", "target"}
    assert [configuration(server) for server in two.servers] == [one[1] for one in before], (
        "nothing was changed"
    )

    switch(two)
    has_it(two, six)
    restart(two)
    has_it(two, six)

    does(two.target, address.give_up(WORK))
    does(two.origin, address.give_back(WORK))
    for server, (were, said, ways) in zip(two.servers, before, strict=True):
        assert configuration(server) == said
        assert sorted(addresses(server)) == sorted(were)
        assert sorted(server.must("ip route").splitlines()) == sorted(ways.splitlines())
