"""Who holds an address, asked of a network without servers, and what is made of the answer."""

import json
import subprocess
from shlex import quote

from bmnb.steps import Result, Verdict
from bmnb.transfer import address

NETWORK = """ip link add lan type veth peer name silent && ip link set silent up && ip link set lan up
ip addr add 192.0.2.20/24 dev lan"""


def asked(network: str) -> Result:
    """Ask for 192.0.2.10 in a network of its own."""
    line = f"{network}\n{address.who_holds('192.0.2.10', 0.01)}"
    done = subprocess.run(["unshare", "-n", "bash", "-c", line], capture_output=True, text=True, check=False)
    return Result("target", line, done.returncode, done.stdout, done.stderr)


def test_an_address_is_free_where_nobody_answers():
    told = asked(NETWORK)
    assert address.free(told).holds
    assert not address.taken(told).holds
    assert address.free(told).seen == "nobody answers"


def test_an_address_is_not_free_where_somebody_answers():
    # an entry that no question removes, as the answer would make it
    answer = "ip neigh add 192.0.2.10 lladdr 02:00:00:00:00:01 dev lan nud permanent"
    told = asked(f"{NETWORK} && {answer}")
    assert not address.free(told).holds
    assert address.taken(told).holds
    assert address.taken(told).seen == "somebody answers for it: 02:00:00:00:00:01"


def test_an_address_is_not_free_where_nobody_was_asked():
    assert not address.free(asked("true")).holds
    elsewhere = "ip route add 192.0.2.10 via 198.51.100.1"
    other = NETWORK.replace("192.0.2.20", "198.51.100.20")
    assert not address.free(asked(f"{other} && {elsewhere}")).holds


ROW = {"item": "/etc/network/interfaces", "server": "origin", "diff": "-  address 192.0.2.10/24"}
THERE = {"rows": [ROW], "moving": ["2001:db8::10/64"], "named": []}
HERE = {
    "rows": [{**ROW, "server": "target"}],
    "moving": [],
    "named": [],
    "networks": ["2001:db8::/64"],
    "six": "",
    "sixes": ["2001:db8::20"],
}


def judged(there: dict[str, object], here: dict[str, object]) -> Verdict:
    return address.can_move(*(Result("a server", "", 0, json.dumps(one)) for one in (there, here)))


def test_what_will_change_is_shown_file_by_file():
    verdict = judged(THERE, HERE)
    assert verdict.holds
    assert verdict.items == (ROW, {**ROW, "server": "target"})
    assert verdict.seen.startswith("2 files will change, with 2001:db8::10/64\n")


def test_an_address_of_ipv6_that_the_target_may_send_from_is_told_ahead():
    assert "may send from 2001:db8::20: give it the same name in DNS" in judged(THERE, HERE).seen
    assert judged(THERE, {**HERE, "sixes": []}).seen == "2 files will change, with 2001:db8::10/64"
    assert judged({**THERE, "moving": []}, HERE).seen == "2 files will change"


def test_what_is_refused_is_told_with_its_remedy_and_cannot_be_accepted():
    verdict = judged({"refused": "192.0.2.10 was given by DHCP", "remedy": "make it static"}, HERE)
    assert (verdict.holds, verdict.items) == (False, ())
    assert verdict.seen == "origin: 192.0.2.10 was given by DHCP\n  → make it static"


def test_an_address_of_ipv6_comes_only_where_its_network_is():
    verdict = judged(THERE, {**HERE, "networks": ["2001:db8:1::/64"]})
    assert (verdict.holds, verdict.items) == (False, ())
    assert "no address of IPv6 on the network of 2001:db8::10/64" in verdict.seen
    assert not judged(THERE, {**HERE, "six": "no section [ipv6]"}).holds
    assert judged({**THERE, "moving": []}, {**HERE, "networks": [], "six": "no section [ipv6]"}).holds


def test_what_else_may_write_the_address_can_be_accepted_by_name():
    named = {"item": "/etc/rc.local:3", "line": "ip addr add 192.0.2.10/24 dev eth0"}
    verdict = judged({**THERE, "named": [named]}, HERE)
    assert (verdict.holds, verdict.items) == (False, ({"server": "origin", **named},))
    assert not judged(THERE, {**HERE, "named": [named]}).holds


def test_parked_servers_reach_each_other_where_neighbours_are_told_little():
    """As routers, load balancers and hardened servers do: arp_ignore, arp_announce, rp_filter."""
    strict = "sysctl -qw net.ipv4.conf.all.{arp_ignore=2,arp_announce=2,rp_filter=1}"
    origin, target = (address.park("192.0.2.10", own) for own in address.parked("192.0.2.10"))
    at, _ = address.parked("192.0.2.10")
    line = f"""unshare -n sleep 20 & there=$!
until [ "$(readlink /proc/$there/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add lan type veth peer name lan netns $there && {strict} && ip link set lan up
nsenter -n -t $there bash -c {quote(f"ip link set lan up; ip addr add 192.0.2.10/24 dev lan; {strict}; {origin}")}
ip addr add 192.0.2.20/24 dev lan; ( {target} )
timeout 10 bash -c 'exec 3<> /dev/tcp/{at}/22'; kill $there"""
    done = subprocess.run(["unshare", "-n", "bash", "-c", line], capture_output=True, text=True, check=False)
    assert "Connection refused" in done.stderr, "it was asked, and nobody listens there"
