"""Logging in as ssh does: keys of files, of agents, certificates, several methods, questions."""

import base64
import hashlib
import logging
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bmnb.errors import ConnectionFailed
from bmnb.redact import Secret
from bmnb.remote import Servers, keys, login, questions
from bmnb.remote.config import Config
from tests.remote.sshd import Sshd, keygen, sign


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server that counts three attempts, and trusts the authority `ca`."""
    made = Sshd(tmp_path_factory.mktemp("sshd"))
    for name in ("ca", "signed", "stranger", *(f"key{number}" for number in range(8))):
        keygen(made.place / name)
    sign(made.place / "ca", made.place / "signed", "-n", "root")
    keygen(made.place / "rsa", "-b", "2048", kind="rsa")
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "hunter2", "-f", made.place / "locked"], check=True
    )
    (made.place / "principals").write_text("root\n")
    with made.running(
        "MaxAuthTries 3",
        f"TrustedUserCAKeys {made.place / 'ca.pub'}",
        "PubkeyAcceptedAlgorithms -rsa-sha2-512",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
    ):
        yield made


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    socket_ = tmp_path / "agent"
    running = subprocess.Popen(["ssh-agent", "-D", "-a", socket_], stdout=subprocess.DEVNULL)
    while not socket_.exists():
        assert running.poll() is None
    yield socket_
    running.terminate()
    running.wait()


def add(agent: Path, *paths: Path) -> None:
    subprocess.run(["ssh-add", "-q", *paths], env={**os.environ, "SSH_AUTH_SOCK": str(agent)}, check=True)


def test_the_key_that_is_named_is_shown_before_the_others_of_the_agent(sshd: Sshd, agent: Path):
    sshd.allow("user")
    add(agent, *(sshd.place / f"key{number}" for number in range(8)))
    assert sshd.says(IdentityAgent=str(agent)) == "there\n"


def test_where_too_many_keys_are_shown_it_says_how_to_name_one(sshd: Sshd, agent: Path):
    sshd.allow("user")
    add(agent, *(sshd.place / f"key{number}" for number in range(8)), sshd.place / "user")
    with pytest.raises(ConnectionFailed, match=r"MaxAuthTries.*\n.*IdentitiesOnly yes"):
        sshd.says(IdentityAgent=str(agent), IdentityFile="/nowhere/key")


def test_of_the_agent_nothing_else_is_shown_where_the_configuration_says_so(sshd: Sshd, agent: Path):
    sshd.allow("user")
    add(agent, *(sshd.place / f"key{number}" for number in range(8)), sshd.place / "user")
    named = {"IdentityAgent": str(agent), "IdentitiesOnly": "yes"}
    assert sshd.says(**named) == "there\n"
    with pytest.raises(ConnectionFailed, match=r"keys tried: none"):
        sshd.says(**{**named, "IdentityFile": "/nowhere/key"})


def test_a_public_key_names_the_key_of_the_agent(sshd: Sshd, agent: Path):
    sshd.allow("key7")
    add(agent, *(sshd.place / f"key{number}" for number in range(8)))
    assert sshd.says(IdentityAgent=str(agent), IdentityFile=str(sshd.place / "key7.pub")) == "there\n"
    with pytest.raises(ConnectionFailed, match=r"user.pub is a public key, and the agent does not have"):
        sshd.says(IdentityAgent=str(agent), IdentityFile=str(sshd.place / "user.pub"))


def test_a_key_that_is_locked_is_the_agents_or_is_named(sshd: Sshd, agent: Path, tmp_path: Path):
    sshd.allow("locked")
    locked = sshd.place / "locked"
    with pytest.raises(ConnectionFailed, match=r"locked is locked by its passphrase; open it") as refused:
        sshd.says(IdentityFile=str(locked))
    assert "hunter2" not in str(refused.value)
    found = Config(sshd.config(IdentityFile=str(locked), IdentityAgent=str(agent))).find("here")
    assert keys.locked(found, keys.Agent(found.agent)) == [str(locked)]
    ask = tmp_path / "ask"
    ask.write_text("#!/bin/sh\necho hunter2\n")
    ask.chmod(0o700)
    told = {"SSH_AUTH_SOCK": str(agent), "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"}
    subprocess.run(["ssh-add", "-q", locked], env={**os.environ, **told}, check=True)
    assert keys.locked(found, keys.Agent(found.agent)) == []
    (tmp_path / "alone").write_text(locked.read_text())
    assert sshd.says(IdentityFile=str(tmp_path / "alone"), IdentityAgent=str(agent)) == "there\n"


def test_a_key_is_opened_once(sshd: Sshd, monkeypatch: pytest.MonkeyPatch):
    sshd.allow("locked")
    monkeypatch.setattr(keys, "_opened", {})
    keys.unlock(str(sshd.place / "locked"), Secret("hunter2"))
    assert sshd.says(IdentityFile=str(sshd.place / "locked")) == "there\n"


def test_certificates_are_shown_with_their_keys(sshd: Sshd, agent: Path, tmp_path: Path):
    sshd.allow("user")
    assert sshd.says(IdentityFile=str(sshd.place / "signed")) == "there\n"
    elsewhere = tmp_path / "certificate"
    elsewhere.write_text((sshd.place / "signed-cert.pub").read_text())
    bare = tmp_path / "bare"
    bare.write_text((sshd.place / "signed").read_text())
    bare.chmod(0o600)
    with pytest.raises(ConnectionFailed):
        sshd.says(IdentityFile=str(bare))
    assert sshd.says(IdentityFile=str(bare), CertificateFile=str(elsewhere)) == "there\n"
    add(agent, bare)
    of_agent = {"IdentityFile": "/nowhere/key", "IdentityAgent": str(agent)}
    assert sshd.says(**of_agent, CertificateFile=str(elsewhere)) == "there\n"


def test_a_certificate_of_the_agent_is_shown(sshd: Sshd, agent: Path):
    sshd.allow("user")
    add(agent, sshd.place / "signed")
    assert sshd.says(IdentityFile="/nowhere/key", IdentityAgent=str(agent)) == "there\n"


def test_a_certificate_that_is_not_accepted_leaves_its_key(sshd: Sshd):
    sshd.allow("key0")
    sign(sshd.place / "ca", sshd.place / "key0", "-n", "somebody-else")
    assert sshd.says(IdentityFile=str(sshd.place / "key0")) == "there\n"


def test_an_rsa_key_is_used_by_what_the_server_accepts_of_it(sshd: Sshd, agent: Path, tmp_path: Path):
    sshd.allow("rsa")
    named = {"PubkeyAcceptedAlgorithms": "rsa-sha2-256"}
    assert sshd.says(IdentityFile=str(sshd.place / "rsa"), **named) == "there\n"
    add(agent, sshd.place / "rsa")
    assert sshd.says(IdentityFile="/nowhere/key", IdentityAgent=str(agent), **named) == "there\n"
    made = Sshd(tmp_path)
    with made.running("PubkeyAcceptedAlgorithms ssh-ed25519"):
        assert made.says(more=f"  IdentityFile {made.place / 'user'}", IdentityFile=str(sshd.place / "rsa"))


def test_an_agent_that_is_away_is_named(sshd: Sshd, tmp_path: Path):
    sshd.allow("user")
    assert sshd.says(IdentityAgent=str(tmp_path / "away")) == "there\n"
    with pytest.raises(ConnectionFailed, match=r"the agent at .*/away does not answer"):
        sshd.says(IdentityAgent=str(tmp_path / "away"), IdentityFile="/nowhere/key")


def test_who_may_not_log_in_is_told_what_may_be_the_cause(sshd: Sshd):
    with pytest.raises(ConnectionFailed) as refused:
        sshd.says(IdentityFile=str(sshd.place / "stranger"))
    for word in ("here (127.0.0.1)", "root may not log in", str(sshd.place / "stranger"), "PermitRootLogin"):
        assert word in str(refused.value)


class SecurityKey:
    """An agent with one security key, as OpenSSH's PROTOCOL.u2f has it, which is touched `touched` times."""

    KIND, APPLICATION = b"sk-ssh-ed25519@openssh.com", b"ssh:"

    def __init__(self, path: Path) -> None:
        self.path, self.touched, self._key = path, 0, Ed25519PrivateKey.generate()
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.blob = b"".join(map(self.string, (self.KIND, public, self.APPLICATION)))

    @staticmethod
    def string(value: bytes) -> bytes:
        return len(value).to_bytes(4, "big") + value

    def sign(self, data: bytes) -> bytes:
        self.touched += 1
        state = b"\x01" + (7).to_bytes(4, "big")
        signed = hashlib.sha256(self.APPLICATION).digest() + state + hashlib.sha256(data).digest()
        return self.string(self.KIND) + self.string(self._key.sign(signed)) + state

    def answer(self, asked: bytes) -> bytes:
        if asked[0] == 11:
            return b"\x0c" + (1).to_bytes(4, "big") + self.string(self.blob) + self.string(b"touch me")
        message = paramiko.Message(asked[1:])
        message.get_binary()
        return b"\x0e" + self.string(self.sign(message.get_binary()))

    @contextmanager
    def running(self) -> Iterator[None]:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.path))
            server.listen()
            threading.Thread(target=self._serve, args=(server,), daemon=True).start()
            yield

    def _serve(self, server: socket.socket) -> None:
        while True:
            try:
                line = server.accept()[0].makefile("rwb")
            except OSError:
                return
            while size := line.read(4):
                line.write(self.string(self.answer(line.read(int.from_bytes(size, "big")))))
                line.flush()


def test_a_security_key_works_through_the_agent_and_is_touched_only_where_it_is_wanted(
    sshd: Sshd, tmp_path: Path
):
    held = SecurityKey(tmp_path / "agent")
    named = {"IdentityFile": str(sshd.place / "sk"), "IdentityAgent": str(held.path)}
    public = paramiko.pkey.PublicBlob(held.KIND.decode(), held.blob)
    (sshd.place / "sk.pub").write_text(f"{public.key_type} {base64.b64encode(held.blob).decode()}\n")
    with held.running():
        sshd.allow("user")
        with pytest.raises(ConnectionFailed, match=r"may not log in"):
            sshd.says(**named)
        assert held.touched == 0
        sshd.allow("sk")
        assert sshd.says(**named) == "there\n"
    assert held.touched == 1
    with pytest.raises(ConnectionFailed, match=r"sk.pub is of a security key, which works through the agent"):
        sshd.says(IdentityFile=str(sshd.place / "sk.pub"))


def test_two_keys_are_shown_where_the_server_wants_two(tmp_path: Path):
    made = Sshd(tmp_path)
    keygen(tmp_path / "second")
    made.allow("user", "second")
    with made.running("AuthenticationMethods publickey,publickey"):
        assert made.says(more=f"  IdentityFile {tmp_path / 'second'}") == "there\n"
        with pytest.raises(ConnectionFailed, match=r"content with: publickey; it wants besides: publickey"):
            made.says()


class Asking(paramiko.ServerInterface):
    """A server that is content with any key, and then with a password and the code 4711."""

    def __init__(self, after_key: str) -> None:
        self.after_key, self.answers = after_key, list[str]()

    def get_allowed_auths(self, username: str) -> str:
        return self.after_key

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.common.AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_password(self, username: str, password: str) -> int:
        self.answers.append(password)
        good = password == "letmein"
        return paramiko.common.AUTH_SUCCESSFUL if good else paramiko.common.AUTH_FAILED

    def check_auth_interactive(self, username: str, submethods: str) -> paramiko.server.InteractiveQuery:
        return paramiko.server.InteractiveQuery(
            "Two steps", "Beware", ("Password: ", False), ("Code: ", True)
        )

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        self.answers += responses
        good = responses == ["letmein", "4711"]
        return paramiko.common.AUTH_SUCCESSFUL if good else paramiko.common.AUTH_FAILED


@pytest.fixture
def asking(sshd: Sshd, tmp_path: Path) -> Iterator:
    """Log in at a server that asks, with what a person types."""
    stack = ExitStack()

    def go(typed: list[str] | None, wants: str, **words: str) -> paramiko.Transport:
        server, client = socket.socketpair()
        serving = paramiko.Transport(server)
        stack.callback(serving.close)
        serving.add_server_key(paramiko.Ed25519Key.from_private_key_file(str(sshd.place / "host")))
        go.server = Asking(wants)
        serving.start_server(threading.Event(), go.server)
        connected = paramiko.Transport(client)
        stack.callback(connected.close)
        connected.start_client(timeout=10)
        go.prompts = []

        def ask(prompt: str, shown: bool) -> Secret:
            go.prompts.append((prompt, shown, threading.current_thread() is threading.main_thread()))
            return Secret(typed.pop(0))

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(questions, "somebody_is_there", lambda: typed is not None)
            patched.setattr(questions, "ask", ask)
            login.log_in(connected, Config(sshd.config(**words)).find("here"))
        return connected

    yield go
    stack.close()


def test_a_second_factor_is_asked_of_who_is_there(asking):
    assert asking(["letmein", "4711"], "publickey,keyboard-interactive").is_authenticated()
    first, second = asking.prompts
    assert first == ("root@here: Two steps\nBeware\nPassword: ", False, True)
    assert second == ("root@here: Code: ", True, True)


def test_a_wrong_answer_is_asked_for_again(asking):
    assert asking(["letmein", "1", "letmein", "4711"], "publickey,keyboard-interactive").is_authenticated()
    with pytest.raises(
        ConnectionFailed, match=r"content with: publickey; it wants besides: .*interactive"
    ) as refused:
        asking(["hunter2"] * 6, "publickey,keyboard-interactive")
    assert "hunter2" not in str(refused.value)


def test_where_nobody_is_there_it_says_what_is_asked(asking):
    with pytest.raises(ConnectionFailed) as refused:
        asking(None, "publickey,keyboard-interactive")
    for word in ("it asks 'Two steps", "nobody is there", "papermill", "AuthenticationMethods"):
        assert word in str(refused.value)
    with pytest.raises(ConnectionFailed, match="BatchMode"):
        asking(["letmein", "4711"], "publickey,keyboard-interactive", BatchMode="yes")


def test_a_kernel_that_can_ask_nothing_is_as_if_nobody_were_there(asking):
    class Silent(list):
        def pop(self, *_: int) -> str:
            raise RuntimeError("StdinNotImplemented")

    for wants in ("publickey,keyboard-interactive", "password"):
        with pytest.raises(ConnectionFailed, match="nobody is there to answer"):
            asking(Silent(), wants)


def test_a_password_is_asked_for_once_for_all_connections(asking, monkeypatch, caplog):
    monkeypatch.setattr(login, "_passwords", {})
    caplog.set_level(logging.DEBUG)
    assert asking(["wrong", "letmein"], "password").is_authenticated()
    assert asking.prompts[0][:2] == ("root@here: password: ", False)
    assert asking(None, "password").is_authenticated()
    assert "letmein" not in caplog.text


def test_a_method_that_the_configuration_forbids_is_not_used(asking):
    with pytest.raises(ConnectionFailed, match=r"it wants: password; ssh's configuration allows: publickey"):
        asking(["letmein"], "password", PreferredAuthentications="publickey")


def test_servers_are_not_left_open_where_nobody_may_log_in(sshd: Sshd):
    before = threading.active_count()
    with Servers(sshd.config(IdentityFile=str(sshd.place / "stranger"))) as opened:
        for _ in range(3):
            with pytest.raises(ConnectionFailed):
                opened.run("here", "true")
    assert threading.active_count() <= before + 1
