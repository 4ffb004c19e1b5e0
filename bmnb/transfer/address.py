"""Moving an IPv4 address from one server to another, now and in the network configuration.

`network` has what runs on the servers for it.
"""

import json
from collections.abc import Iterable, Iterator
from ipaddress import ip_interface, ip_network
from pathlib import Path

from bmnb.steps import Command, Result, Verdict
from bmnb.transfer import access, placing

PROGRAMS = Path(__file__).with_name("network")
FILES = (
    "/etc/network/interfaces /etc/network/interfaces.d/* /etc/systemd/network/* /etc/netplan/*.yaml "
    "/etc/NetworkManager/system-connections/* /etc/sysconfig/network-scripts/ifcfg-*"
)


def parked(address: str) -> tuple[str, str]:
    """Two link-local addresses (RFC 3927) made of the last numbers of this one: for the origin, for the target.

    They take no part in any network's plan, and need no router between two servers on one network.
    """
    _, second, third, last = (int(part) for part in address.split("."))
    place = 1 + (second * 256 + third) % 160  # 169.254.169.254 is the metadata service of clouds
    return f"169.254.{place}.{last}", f"169.254.{place}.{last ^ 1}"


def park(address: str, own: str) -> str:
    """Give this server a link-local address beside its own, on the network that `address` is on.

    Both are one network of two: of an address with a peer Linux does not tell neighbours where arp_ignore is set.
    """
    return f"""set -eu
dev=$(ip -o -4 addr show to {address} | awk '{{print $2; exit}}')
[ -n "$dev" ] || dev=$(ip -o -4 route get {address} | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p')
ip addr replace {own}/31 dev "$dev" scope link"""


def unpark(own: str) -> str:
    return f"ip addr flush to {own}"


def answers_ssh(folder: str, origin: str, address: str) -> str:
    """A line of the target that holds where the origin's sshd answers at this address."""
    return f"{_port(folder, origin)}\n{_greets(address)}"


def answers_no_more(folder: str, origin: str, address: str) -> str:
    return f"{_port(folder, origin)}\n! {_greets(address)} > /dev/null 2>&1"


def _port(folder: str, origin: str) -> str:
    """The one that this run's ssh has."""
    return f"""port=$({access.ssh(folder)} -G {origin} | sed -n 's/^port //p'); [ -n "$port" ] || exit 2"""


def _greets(address: str) -> str:
    return f'timeout 10 bash -c "exec 3<> /dev/tcp/{address}/$port && head -c 4 <&3"'


ADDRESSES = """ip -o -4 addr show scope global | awk '{split($4, address, "/"); print address[1], $2}'"""
"""A line that prints each address of a server and its interface."""


def held(address: str) -> str:
    return f"ip -o -4 addr show to {address}"


def save(folder: str) -> str:
    """Keep the network configuration for a person; what is undone is in the state of the programs in `network`."""
    archive = f"{folder}/network-configuration.tar.gz"
    return f"""umask 077; mkdir -p {folder}; test -f {archive} && exit 0
shopt -s nullglob; files=({FILES})
tar -czPf {archive}.new -- "${{files[@]}}" && mv {archive}.new {archive}"""


def put(server: str, folder: str) -> Iterator[Command]:
    """The programs that change the network configuration."""
    return placing.put([server], folder, PROGRAMS, "the programs that change the network configuration")


def take_off(folder: str, address: str) -> str:
    """Take the address off this server, now and in its configuration, with those of IPv6 beside it."""
    return _line(folder, "off", folder, address)


def give_back(folder: str) -> str:
    """Undo `take_off`, and tell the neighbours. It is also kept as a program on the server, for its console."""
    return _line(folder, "back", folder)


def take_over(folder: str, address: str) -> str:
    """Give this server the address, as the first one of the interface on the same network, and those of `moving`.

    Its own address stays as the second, since the connection that does this must survive it.
    Neighbours learn of the move from a gratuitous ARP, and an advertisement of IPv6.
    """
    return _line(folder, "over", folder, address)


def give_up(folder: str) -> str:
    """Undo `take_over`."""
    return _line(folder, "up", folder)


def moving(folder: str, address: str) -> str:
    """Print the addresses of IPv6 that go with the address."""
    return _line(folder, "moving", folder, address)


def keep_moving(folder: str) -> str:
    """Keep them, which come in as input, for `take_over`."""
    return (
        f"umask 077; mkdir -p {folder}; cat > {folder}/moving.new && mv {folder}/moving.new {folder}/moving"
    )


def _line(folder: str, *words: str) -> str:
    return f"cd {folder} && python3 -m {PROGRAMS.name} {' '.join(words)}"


CODE = placing.contents(PROGRAMS)
"""What the lines below read."""


def try_off(address: str) -> str:
    """A line that tells what `take_off` would change, and tries that."""
    return placing.for_once(PROGRAMS, "check", "off", address)


def try_over(address: str) -> str:
    """A line that tells what `take_over` would change, and tries that."""
    return placing.for_once(PROGRAMS, "check", "over", address)


def can_move(origin: Result, target: Result) -> Verdict:
    """Both configurations are understood, and nothing else is known to write the address."""
    theirs, ours = json.loads(origin.stdout), json.loads(target.stdout)
    refused = [
        f"{server}: {one['refused']}\n  → {one['remedy']}"
        for server, one in (("origin", theirs), ("target", ours))
        if "refused" in one
    ]
    if refused:
        return Verdict(False, "\n".join(refused))
    rows = (*theirs["rows"], *ours["rows"])
    stranger = [one for one in theirs["moving"] if not _is_on(one, ours["networks"])]
    if stranger:
        return Verdict(False, f"the target has no address of IPv6 on the network of {', '.join(stranger)}")
    if theirs["moving"] and ours["six"]:
        return Verdict(False, f"no address of IPv6 can come to the target: {ours['six']}")
    named = [
        {"server": server, **one}
        for server, told in (("origin", theirs), ("target", ours))
        for one in told["named"]
    ]
    if named:
        seen = "; ".join(f"{one['server']}: {one['item']}: {one['line']}" for one in named)
        return Verdict(False, f"something else may write the address: {seen}", tuple(named))
    if not theirs["moving"]:
        return Verdict(True, f"{len(rows)} files will change", rows)
    seen = f"{len(rows)} files will change, with {', '.join(theirs['moving'])}"
    # Linux takes the one that it got last
    own = f"\nafter a restart the target may send from {', '.join(ours['sixes'])}: give it the same name in DNS, both ways"
    return Verdict(True, seen + own * bool(ours["sixes"]), rows)


def _is_on(address: str, networks: Iterable[str]) -> bool:
    return any(ip_interface(address).ip in ip_network(one) for one in networks)


def announce(address: str, times: int = 2) -> str:
    """A line that tells the neighbours, a second apart, at once for the first time."""
    # arping waits another second after the last one
    return (
        f"dev=$(ip -o -4 addr show to {address} | awk '{{print $2; exit}}'); "
        f'timeout {times - 0.5} arping -U -I "$dev" {address} || [ $? = 124 ]'
    )


def who_holds(address: str, seconds: float) -> str:
    """A line that has the kernel ask the network who holds the address, and prints what it knows then.

    It asks three times, since a question may be lost, and listens so many seconds after each.
    """
    return f"""for question in 1 2 3; do
  ip neigh flush to {address} && echo > /dev/udp/{address}/9 || exit 1; sleep {seconds}
  seen=$(ip -4 neigh show to {address}); case $seen in *lladdr*) break ;; esac
done; echo "$seen\""""


def taken(asked: Result) -> Verdict:
    """Somebody has answered."""
    return Verdict(ANSWERED in asked.stdout, _told(asked), made=_told(asked) != UNASKED)


def free(asked: Result) -> Verdict:
    """It was asked for, and nobody has answered."""
    return Verdict(_told(asked) == NOBODY, _told(asked), made=_told(asked) != UNASKED)


ANSWERED, UNANSWERED = " lladdr ", ("INCOMPLETE", "FAILED")
"""What the kernel's entry of an address has, and what it ends with."""
NOBODY = "nobody answers"
UNASKED = "the network could not be asked for it"


def _told(asked: Result) -> str:
    _, answered, entry = asked.stdout.partition(ANSWERED)
    if answered:
        return f"somebody answers for it: {entry.split()[0]}"
    was_asked = asked.ok and asked.stdout.strip().endswith(UNANSWERED)
    return NOBODY if was_asked else UNASKED
