"""Who holds an address, asked of a network without servers, and what is made of the answer."""

import subprocess

from bmnb.steps import Result
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
