"""The origin stays within reach through the target, whatever the target's sshd forbids."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bmnb.errors import ConnectionFailed
from bmnb.remote import Servers
from tests.remote.sshd import Sshd

FORBIDDEN = ["AllowTcpForwarding no", "DisableForwarding yes\nMaxSessions 1", "PermitOpen none"]


def two(tmp_path: Path) -> tuple[Sshd, Sshd]:
    """`here`, the target, and `origin` behind it."""
    places = [tmp_path / name for name in ("target", "origin")]
    for place in places:
        place.mkdir()
    target, origin = map(Sshd, places)
    return target, origin


def servers(target: Sshd, origin: Sshd) -> Servers:
    behind = origin.config().read_text().replace("Host here", "Host origin")
    return target.servers(behind)


@pytest.mark.parametrize("forbidden", FORBIDDEN)
def test_a_server_is_reached_through_one_that_forbids_forwarding(tmp_path: Path, forbidden: str):
    target, origin = two(tmp_path)
    with target.running(forbidden), origin.running(), servers(target, origin) as opened:
        opened.reach("origin", "127.0.0.1", "here")
        assert opened.run("origin", "echo $((6 * 7)); cat", stdin="in").stdout == "42\nin\n"
        assert len(opened.run("origin", "head -c 3000000 /dev/zero").stdout) == 3_000_000
        assert opened.run("here", "echo still").stdout == "still\n"


def sessions(server: Sshd) -> list[int]:
    """The processes that its sshd has for connections."""
    daemon = (server.place / "pid").read_text().strip()
    asked = subprocess.run(["pgrep", "-P", daemon], capture_output=True, text=True, check=False)
    return list(map(int, asked.stdout.split()))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nothing_of_it_is_left_when_this_side_ends(tmp_path: Path):
    target, origin = two(tmp_path)
    with target.running("AllowTcpForwarding no"), origin.running():
        with servers(target, origin) as opened:
            opened.reach("origin", "127.0.0.1", "here")
            assert opened.run("origin", "true").ok
            assert len(sessions(target)) == 2
        wait_until(lambda: not sessions(target) and not sessions(origin))


def test_where_the_other_side_ends_it_is_made_anew(tmp_path: Path):
    target, origin = two(tmp_path)
    with target.running("AllowTcpForwarding no"), origin.running(), servers(target, origin) as opened:
        opened.reach("origin", "127.0.0.1", "here")
        assert opened.run("origin", "true").ok
        for session in sessions(origin):
            os.kill(session, signal.SIGKILL)
        wait_until(lambda: not opened.connected("origin"))
        assert opened.run("origin", "echo again").stdout == "again\n"
        wait_until(lambda: len(sessions(target)) == 2)


def test_a_port_where_nobody_listens_is_named(tmp_path: Path):
    target, origin = two(tmp_path)
    with target.running("AllowTcpForwarding no"), servers(target, origin) as opened:
        opened.reach("origin", "127.0.0.1", "here")
        with pytest.raises(
            ConnectionFailed, match=f"here: cannot reach 127.0.0.1:{origin.port} from there: .*refused"
        ):
            opened.run("origin", "true")


def test_it_is_proven_ahead_for_one_command(tmp_path: Path):
    target, origin = two(tmp_path)
    with target.running("AllowTcpForwarding no"), origin.running(), servers(target, origin) as opened:
        assert opened.run_at("origin", "127.0.0.1", "echo there", "here").stdout == "there\n"
        assert len(sessions(target)) == 2
        assert opened.run("origin", "echo $PPID").ok, "and later it is contacted where it was"


def test_a_host_key_that_is_known_without_the_port_is_known_at_another_address_too(tmp_path: Path):
    target, origin = two(tmp_path)
    origin.know(f"localhost {(origin.place / 'host.pub').read_text()}")
    behind = (
        origin.config(HostName="localhost", AddressFamily="inet")
        .read_text()
        .replace("Host here", "Host origin")
    )
    with target.running(), origin.running(), target.servers(behind) as opened:
        assert opened.run("origin", "true").ok
        opened.reach("origin", "127.0.0.1", "here")
        assert opened.run("origin", "true").ok
