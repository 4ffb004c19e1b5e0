"""Addresses of an interface, in a network without servers."""

import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[3] / "bmnb" / "transfer"
FIRST = """
from network import running
from network.values import interface
new = interface("192.0.2.10/24")
running.make_first("lan", new)
print(*running.of_network("lan", new))
"""
BESIDE = """
import subprocess
from network import running
before = running.held()
subprocess.check_call(["ip", "addr", "flush", "dev", "lan"])
running.stay_beside(before)
"""
MEANWHILE = (
    "for _ in $(seq 60); do for last in 20 10; do ip addr replace 192.0.2.$last/24 brd + dev lan; done; done"
)


def test_the_address_comes_first_also_where_somebody_sets_addresses_at_the_same_time():
    made = "ip link add lan type veth peer name wan && ip link set lan up && ip link set wan up"
    own = "ip addr add 192.0.2.20/24 dev lan && ip addr add 192.0.2.30/24 dev lan"
    line = f"{made} && {own} && ( {MEANWHILE} ) & sleep 0.1; {sys.executable} -c '{FIRST}'; code=$?; wait; exit $code"
    done = subprocess.run(
        ["unshare", "--net", "bash", "-c", line], cwd=PACKAGE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("192.0.2.10/24 ")


@pytest.mark.parametrize(
    ("beside", "comes_back"),
    [("169.254.130.10/31", True), ("169.254.212.147/16", False)],
    ids=["that was given for the connection", "that the system gave itself"],
)
def test_a_link_local_address_that_a_reload_took(beside: str, comes_back: bool):
    made = f"ip link add lan type veth peer name wan && ip link set lan up && ip addr add {beside} dev lan scope link"
    line = f"{made} && {sys.executable} -c '{BESIDE}' && ip -o -4 addr show dev lan"
    done = subprocess.run(
        ["unshare", "--net", "bash", "-c", line], cwd=PACKAGE, capture_output=True, text=True, check=False
    )
    assert (beside in done.stdout) is comes_back, done.stderr
    assert done.returncode == 0
