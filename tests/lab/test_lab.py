"""The lab boots real servers, several labs at once, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bmnb.errors import BmnbError, InputError
from bmnb.lab import Lab, platform
from bmnb.lab import server as servers
from bmnb.lab.host import call
from bmnb.lab.platform import LABS
from bmnb.lab.server import Server
from tests.lab.conftest import booted

pytestmark = pytest.mark.lab

OPTIONS = {"messages": 500, "rows": 5000, "users": 20}

SMALL = [f"--{name}={value}" for name, value in OPTIONS.items()]
ADDRESS = "cd / && runuser -u postgres -- psql -XAtqc 'SELECT ip FROM t_server' bj"


def traces(name: str, bridge: str) -> list[str]:
    """What a lab has on this machine: mounts, interfaces, processes, folder."""
    mounts = [line for line in call("mount").splitlines() if f"/labs/{name}/" in line]
    links = [
        line
        for line in call("ip", "-o", "link").splitlines()
        if re.search(rf"\b(vb-)?{bridge}[ots]?[@:]", line)
    ]
    processes = [line for line in call("ps", "-eo", "args").splitlines() if f"/labs/{name}/" in line]
    return mounts + links + processes + ([name] if (LABS / name).exists() else [])


def test_two_labs_at_once_and_nothing_left_after():
    with booted("one", **OPTIONS) as one, booted("two", **OPTIONS) as two:
        for lab in (one, two):
            for server in lab.servers:
                assert server.must("systemctl is-system-running").strip() == "running"
                ssh = ["ssh", "-F", str(lab.ssh_config), server.name, "cat /etc/machine-id"]
                told = subprocess.run(ssh, capture_output=True, text=True, check=True).stdout
                assert told == server.must("cat /etc/machine-id")
        identities = {server.must("cat /etc/machine-id") for lab in (one, two) for server in lab.servers}
        assert len(identities) == 4
        assert one.origin.address != two.origin.address
        bridges = one.bridge.name, two.bridge.name
        numbers = {server.must("id -u cyrus") for server in one.servers}
        assert len(numbers) == 2, "users have other numbers on the other server"
        for server in (one.origin, two.origin):
            assert f"lmtp:{server.address}:2400" in server.must("head -1 /etc/postfix/transport-flat")
            assert server.must(ADDRESS).strip() == server.address
    assert traces(one.name, bridges[0]) == []
    assert traces(two.name, bridges[1]) == []


def test_a_lab_whose_maker_was_killed_can_be_taken_down():
    name = f"crash-{os.getpid()}"
    maker = subprocess.Popen(
        [sys.executable, "-m", "bmnb", "lab", "up", "--name", name, *SMALL], stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not Lab(name).status() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1.5)
    maker.send_signal(signal.SIGKILL)
    maker.wait()
    bridge = Lab(name).bridge.name
    assert traces(name, bridge) != []
    Lab(name).down()
    Lab(name).down()
    # a program that the maker had just started, such as ssh-keygen, outlives it for a moment
    deadline = time.monotonic() + 10
    while traces(name, bridge) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert traces(name, bridge) == []


def test_a_saved_lab_is_restored_as_often_as_one_likes(lab: Lab):
    machine = lab.origin.must("cat /etc/machine-id")
    for server in lab.servers:
        server.must("echo first > /root/here; ln /root/here /root/linked")
    lab.save("first")
    for _ in range(2):
        for server in lab.servers:
            server.must("echo later >> /root/here; rm -r /etc/postfix /root/linked; touch /root/new")
        lab.restore("first")
        for server in lab.servers:
            assert (
                server.must("cat /root/here; stat -c %h /root/here; ls /root") == "first\n2\nhere\nlinked\n"
            )
            assert server.must("systemctl is-system-running").strip() == "running"
    ssh = ["ssh", "-F", str(lab.ssh_config), "origin", "cat /etc/machine-id"]
    assert subprocess.run(ssh, capture_output=True, text=True, check=True).stdout == machine
    assert [row["snapshots"] for row in lab.status()] == [["first"], ["first"]]
    with pytest.raises(InputError, match="no snapshot 'second' of this lab; there are: first"):
        lab.restore("second")


def test_a_server_that_is_off_when_it_is_saved_stays_off(lab: Lab):
    lab.target.power_off()
    lab.save("half")
    assert [row["running"] for row in lab.status()] == [True, False]
    lab.restore("half")
    assert [row["running"] for row in lab.status()] == [True, True]


def test_a_lab_whose_files_have_handles_cannot_be_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(platform, "LABS", tmp_path)
    (tmp_path / "watched").mkdir()
    (tmp_path / "watched" / "lab.json").write_text('{"handles": true}')
    with pytest.raises(InputError, match="made with --handles"):
        Lab("watched").save("first")


def test_a_server_that_is_off_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(servers, "EXEC_SECONDS", 0.2)
    (tmp_path / "console.log").write_text("the last line")
    with pytest.raises(BmnbError, match="is off, and was to boot:\nthe last line"):
        Server("target", "bmnbnone", tmp_path, "", "", ()).wait()


def test_the_live_writer_works_exactly_while_the_services_run(lab: Lab):
    def counted() -> str:
        time.sleep(1.5)
        return lab.origin.must("cat /var/log/bmnb-writer")

    assert counted() != counted()
    lab.origin.must("bmctl stop")
    assert counted() == counted()
    assert lab.origin.run("pg_isready -q").returncode != 0, "bmctl stop takes PostgreSQL down"
    assert lab.origin.run("bmctl status").returncode == 0, "bmctl status ends with 0 when all is stopped"


def test_a_server_that_is_not_seen_at_once_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(servers, "EXEC_SECONDS", 2.0)
    console = tmp_path / "console.log"
    console.touch()
    late = f"sleep 0.5; exec bash -c 'sleep 1; echo it was on > {console}; :' supervisor-bmnblate"
    with (
        subprocess.Popen(["bash", "-c", late]),
        pytest.raises(BmnbError, match="is off, and was to boot:\nit was on"),
    ):
        Server("target", "bmnblate", tmp_path, "", "", ()).wait()
