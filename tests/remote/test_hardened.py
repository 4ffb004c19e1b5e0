"""Servers whose sshd allows little: what can be done is done, and else the setting is named."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import paramiko
import pytest

from bmnb.errors import ActionFailed, ConnectionFailed, InputError
from bmnb.redact import Secret
from bmnb.remote.connection import SHELL, Forbidden
from tests.remote.sshd import Sshd, free_port, keygen


@pytest.fixture
def sshd(tmp_path: Path) -> Sshd:
    return Sshd(tmp_path)


class Core(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        told = {"key": self.headers["X-BM-ApiKey"], "path": self.path, "body": body}
        fault = {"errorCode": "NOT_FOUND", "message": "no such thing"}
        missing = self.path.endswith("missing")
        text = "" if self.path.endswith("nothing") else json.dumps(fault if missing else told)
        self.send_response(404 if missing else 200)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_PUT = do_POST

    def log_message(self, *words: object) -> None: ...


@pytest.fixture
def core() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Core)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


TOKEN = "canary-4711'\"\\$x"


@pytest.mark.parametrize(
    "forbidden",
    ["AllowTcpForwarding no", "DisableForwarding yes", "PermitOpen none", "AllowTcpForwarding remote"],
)
def test_the_api_is_asked_by_curl_where_forwarding_is_refused(sshd: Sshd, core: int, forbidden: str):
    body = {"text": "é\n\"quoted\" \\ 'single' %{http_code} @file", "list": [1, None]}
    with sshd.running(forbidden), sshd.servers() as opened:
        told = opened.api("here", "PUT", "/api/x?a=b&c=%20d", body=body, token=Secret(TOKEN), port=core)
        assert (told["key"], told["path"], json.loads(told["body"])) == (TOKEN, "/api/x?a=b&c=%20d", body)
        assert opened.api("here", "GET", "/api", token=Secret(TOKEN), port=core)["body"] == ""
        assert opened.api("here", "POST", "/api/nothing", token=Secret(TOKEN), port=core) is None
        with pytest.raises(ActionFailed, match="GET /api/missing on here: HTTP 404 NOT_FOUND no such thing"):
            opened.api("here", "GET", "/api/missing", token=Secret(TOKEN), port=core)
        with pytest.raises(ActionFailed, match="AllowTcpForwarding") as failed:
            opened.api("here", "GET", "/api", token=Secret(TOKEN), port=free_port())
    assert "canary" not in str(failed.value)


def test_the_token_stands_in_no_list_of_arguments(sshd: Sshd, core: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "bmnb.remote.http.CURL",
        "cat > /dev/null; printf '%s\\n200' \"$(tr '\\0' ' ' < /proc/$$/cmdline)\"",
    )
    with (
        sshd.running("AllowTcpForwarding no"),
        sshd.servers() as opened,
        pytest.raises(ActionFailed) as shown,
    ):
        opened.api("here", "GET", "/api", token=Secret(TOKEN), port=core)
    assert "bash" in str(shown.value)
    assert "canary" not in str(shown.value)


@pytest.mark.parametrize("most", [1, 2])
def test_few_sessions_are_enough(sshd: Sshd, core: int, most: int):
    with sshd.running(f"MaxSessions {most}", "AllowTcpForwarding no"), sshd.servers() as opened:

        def work(number: int) -> str:
            if number % 4 == 0:
                return (
                    str(opened.api("here", "GET", f"/{number}", token=Secret("t"), port=core)["path"][1:])
                    + "\n"
                )
            return opened.run("here", f"sleep 0.1; echo {number}").stdout

        with ThreadPoolExecutor(12) as pool:
            assert list(pool.map(work, range(24))) == [f"{number}\n" for number in range(24)]


def test_a_session_is_waited_for_as_long_as_those_before_it_take(sshd: Sshd, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bmnb.remote.connection.CONNECT_SECONDS", 0.5)
    with sshd.running("MaxSessions 1"), sshd.servers() as opened, ThreadPoolExecutor(3) as pool:
        long = pool.submit(opened.run, "here", "sleep 2; echo long")
        time.sleep(0.3)
        short = [pool.submit(opened.run, "here", "echo short") for _ in range(2)]
        assert [one.result().stdout for one in (long, *short)] == ["long\n", "short\n", "short\n"]


def test_where_there_is_no_session_at_all_the_setting_is_named(sshd: Sshd, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bmnb.remote.connection.CONNECT_SECONDS", 0.3)
    with sshd.running("MaxSessions 0"), pytest.raises(ConnectionFailed, match=r"here.*\n.*MaxSessions"):
        sshd.says()


@pytest.mark.parametrize(
    "setting",
    [
        "PermitTTY no",
        "Banner /etc/os-release",
        "Subsystem sftp internal-sftp",
        "PermitRootLogin prohibit-password",
        "ClientAliveInterval 1",
        "AllowUsers root@127.0.0.1",
        'ForceCommand logger -- "$SSH_ORIGINAL_COMMAND"; exec sh -c "$SSH_ORIGINAL_COMMAND"',
        "AuthenticationMethods publickey",
        "KexAlgorithms curve25519-sha256",
        "KexAlgorithms diffie-hellman-group16-sha512",
        "Ciphers aes256-gcm@openssh.com",
        "Ciphers aes256-ctr\nMACs hmac-sha2-512-etm@openssh.com",
        "Compression no",
        "MaxStartups 1:100:1",
        "PermitUserEnvironment no\nX11Forwarding no\nAllowAgentForwarding no\nUseDNS yes\nLogLevel VERBOSE",
    ],
)
def test_a_hardened_server_is_worked_on(sshd: Sshd, setting: str):
    with sshd.running(setting), sshd.servers(Compression="yes") as opened:
        silent = "sleep 1.2" if "ClientAlive" in setting else "true"
        assert opened.run("here", f"{silent}; echo there").stdout == "there\n"
        assert opened.run("here", "cat", stdin="given").stdout == "given\n"


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("ForceCommand internal-sftp", "bash is not begun.*\n(.*\n)*.*ForceCommand in sshd_config"),
        ("ForceCommand echo not you", "bash is not begun.*\n.*not you\n.*ForceCommand in sshd_config"),
        ("PermitRootLogin no", "root may not log in(.*\n)*.*PermitRootLogin"),
        ("AllowUsers root@192.0.2.1", "root may not log in(.*\n)*.*AllowUsers"),
        ("DenyUsers root", "root may not log in"),
        (
            "Ciphers chacha20-poly1305@openssh.com",
            r"no acceptable ciphers\)(.*\n)*  Ciphers of this side: aes",
        ),
        ("KexAlgorithms sntrup761x25519-sha512@openssh.com", "KexAlgorithms of this side: .*curve25519"),
        ("AuthenticationMethods hostbased\nHostbasedAuthentication yes", "it wants: hostbased"),
    ],
)
def test_what_cannot_be_done_is_named_with_its_setting(sshd: Sshd, setting: str, says: str):
    with sshd.running(setting), pytest.raises(ConnectionFailed, match=says) as refused:
        sshd.says()
    assert "here" in str(refused.value)


SUDO = """#!/bin/sh
(: < /dev/tty) 2> /dev/null || { echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1; }
shift 2; exec "$@"
"""


def test_sudo_that_wants_a_terminal_gets_one_and_bash_keeps_its_own_channels(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "sudo").write_text(SUDO)
    (tmp_path / "sudo").chmod(0o700)
    monkeypatch.setattr("bmnb.remote.connection.shell", lambda user: f"sudo -n -H {SHELL}")
    with sshd.running(f"SetEnv PATH={tmp_path}:/usr/bin:/bin", "PermitTTY no"), sshd.servers() as opened:
        told = opened.run("here", "cat; tty; echo err >&2; head -c 3000000 /dev/zero; exit 3", stdin="\4\3in")
        assert (told.exit, told.stderr) == (3, "err\n")
        assert told.stdout == "\4\3in\nnot a tty\n" + "\0" * 3_000_000
        assert Path(opened.feed("here", "printf 'a\\4b'; echo", "here", "unit")).read_bytes() == b"a\4b\n"


def test_a_server_that_closes_at_once_is_tried_for_a_while(sshd: Sshd, monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
        threading.Thread(target=lambda: [closing.accept()[0].close() for _ in range(50)], daemon=True).start()
        monkeypatch.setattr("bmnb.remote.connection.CONNECT_SECONDS", 2.0)
        with pytest.raises(ConnectionFailed, match=r"closed before it begins\n.*MaxStartups"):
            sshd.says(Port=str(port))


GATE = "Host gate\n  HostName 127.0.0.1\n  Port {port}\n  User root\n  IdentityFile {place}/user\n  IdentityAgent none\n  UserKnownHostsFile {place}/known\n"


def gate(sshd: Sshd, more: str = "") -> str:
    return GATE.format(port=sshd.port, place=sshd.place) + more


def test_jump_hosts_are_gone_through_in_their_order_each_by_its_own_way(sshd: Sshd):
    chain = (
        gate(sshd, "  ProxyJump first\n")
        + gate(sshd).replace("Host gate", "Host first")
        + gate(sshd).replace("Host gate", "Host second")
    )
    with sshd.running("LogLevel VERBOSE"):
        assert sshd.says(chain, ProxyJump=f"root@gate:{sshd.port},second") == "there\n"
    accepted = (sshd.place / "log").read_text().count("Accepted publickey")
    assert accepted == 4


def test_a_jump_host_that_lets_nobody_through_is_named_with_its_setting(sshd: Sshd):
    with sshd.running("AllowTcpForwarding no"), pytest.raises(ConnectionFailed) as refused:
        sshd.says(gate(sshd), ProxyJump="gate")
    for word in ("here is reached through gate: ", "gate: cannot reach 127.0.0.1", "AllowTcpForwarding"):
        assert word in str(refused.value)


def test_a_server_that_a_restart_took_from_beside_another_is_looked_for_at_its_usual_address(sshd: Sshd):
    """It is believed where it is the same machine."""
    nobody = "127.0.0.77"
    with sshd.running(), sshd.servers(gate(sshd)) as opened:
        here = opened.identity("here").machine_id
        opened.reach("here", nobody, via="gate")
        with pytest.raises(ConnectionFailed, match=f"here is reached through gate: .*{nobody}"):
            opened.run("here", "true")
        opened.pin("here", "0" * 32)
        with pytest.raises(ConnectionFailed, match=f"here is reached through gate: .*{nobody}"):
            opened.run("here", "true")
        opened.pin("here", here)
        assert opened.run("here", "echo there").stdout == "there\n"


def test_a_jump_host_that_is_reached_through_itself_is_refused(sshd: Sshd):
    with pytest.raises(InputError, match="gate is reached through itself: ProxyJump"):
        sshd.says(gate(sshd, "  ProxyJump gate\n"), ProxyJump="gate")


def test_a_program_may_carry_the_connection(sshd: Sshd):
    carries = 'python3 -c \'import socket, sys, threading, os; s = socket.create_connection(("%h", %p)); '
    carries += (
        'threading.Thread(target=lambda: [s.sendall(b) for b in iter(lambda: os.read(0, 65536), b"")], '
        'daemon=True).start(); [os.write(1, b) for b in iter(lambda: s.recv(65536), b"")]\''
    )
    with sshd.running():
        assert sshd.says(ProxyCommand=carries) == "there\n"


def test_a_program_that_fails_is_told_in_its_words(sshd: Sshd):
    with pytest.raises(ConnectionFailed, match=r"echo no way.*\(ProxyCommand\)\n  \| no way to 127.0.0.1"):
        sshd.says(ProxyCommand="echo no way to %h >&2")


def test_a_connection_that_broke_unseen_is_made_anew_before_anything_is_begun(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
):
    with sshd.running(), sshd.servers() as opened:
        assert opened.run("here", "echo once").ok
        transport = opened._connection("here")._transport
        breaks = paramiko.Transport.open_channel

        def broken(self: paramiko.Transport, *words: object, **more: object) -> paramiko.Channel:
            if self is transport:
                self.sock.close()
                while self.is_active():
                    time.sleep(0.01)
                raise paramiko.SSHException("Unable to open channel.")
            return breaks(self, *words, **more)

        monkeypatch.setattr(paramiko.Transport, "open_channel", broken)
        assert opened.run("here", "echo again").stdout == "again\n"


def test_each_thread_is_told_its_own_refusal(sshd: Sshd):
    with sshd.running("MaxSessions 1", "AllowTcpForwarding no"), sshd.servers() as opened:
        connection = opened._connection("here")
        with ThreadPoolExecutor(12) as pool:
            kept = pool.submit(opened.run, "here", "sleep 1; echo kept")
            time.sleep(0.2)
            others = [pool.submit(opened.run, "here", "true") for _ in range(5)]
            ports = [pool.submit(connection.channel_to, "127.0.0.1", 1) for _ in range(40)]
            refused = [one.exception() for one in ports]
            assert {type(one) for one in refused} == {Forbidden}
            assert kept.result().ok
            assert all(one.result().ok for one in others)


def test_two_keys_of_a_jump_host_and_its_server_are_kept_apart(sshd: Sshd, tmp_path: Path):
    behind = tmp_path / "behind"
    behind.mkdir()
    other = Sshd(behind)
    keygen(behind / "second")
    with sshd.running(), other.running():
        assert other.says(gate(sshd), ProxyJump="gate") == "there\n"
