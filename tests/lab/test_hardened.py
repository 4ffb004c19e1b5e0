"""Servers whose sshd is hardened: another port and other host keys, no forwarding, few sessions, no root, sudo with a
terminal, a second factor.

One story with the fast engine, whose run waits at the switch for a while.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bmnb.errors import ConnectionFailed
from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from bmnb.redact import Secret
from bmnb.remote import Servers, questions
from tests.lab import meanwhile
from tests.lab.migration import NOT_YET, client_file, finish, journal

pytestmark = pytest.mark.lab

ORIGIN = """Port 2222
HostKey /etc/ssh/keys/own
PermitRootLogin prohibit-password
PasswordAuthentication no
AllowTcpForwarding no
MaxSessions 2
MaxStartups 10:30:60
MaxAuthTries 3
LoginGraceTime 30
ClientAliveInterval 60
Banner /etc/os-release
PermitTTY no
X11Forwarding no"""

TARGET = """PermitRootLogin no
AllowUsers admin second
AllowTcpForwarding no
MaxSessions 1
MaxAuthTries 2
KbdInteractiveAuthentication yes
Match User second
AuthenticationMethods publickey,keyboard-interactive"""

ADMINISTRATORS = """for user in admin second; do
  useradd -m -s /bin/bash $user; mkdir -p /home/$user/.ssh
  cp /root/.ssh/authorized_keys /home/$user/.ssh/ && chown -R $user /home/$user/.ssh
  echo "$user ALL=(ALL) NOPASSWD: ALL" >> /etc/sudoers.d/administrators
done
echo 'second:letmein' | chpasswd
echo 'Defaults:admin requiretty' >> /etc/sudoers.d/administrators"""


@pytest.fixture(scope="module")
def hardened(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ssh configuration for the servers of the lab as they are hardened."""
    lab.origin.must(
        "mkdir -p /etc/ssh/keys; mv /etc/ssh/ssh_host_ed25519_key /etc/ssh/keys/own; rm /etc/ssh/ssh_host_*"
    )
    lab.target.must(ADMINISTRATORS)
    for server, settings in ((lab.origin, ORIGIN), (lab.target, TARGET)):
        server.must(
            f"cat > /etc/ssh/sshd_config.d/00-hardened.conf <<'END'\n{settings}\nEND\nsshd -t && systemctl restart ssh"
        )
    written = lab.ssh_config.read_text()
    second = written[written.index("Host target") :].replace("Host target", "Host second")
    told = "Host origin\n  Port 2222\nHost target\n  User admin\nHost second\n  User second\n"
    path = tmp_path_factory.mktemp("ssh") / "config"
    path.write_text(f"{told}{written}{second}")
    return path


def test_a_second_factor_is_asked_of_who_is_there(lab: Lab, hardened: Path, monkeypatch: pytest.MonkeyPatch):
    with Servers(hardened) as servers:
        with pytest.raises(ConnectionFailed, match=r"it asks 'Password:', and nobody is there") as refused:
            servers.run("second", "id -un")
        assert "AuthenticationMethods" in str(refused.value)
        monkeypatch.setattr(questions, "somebody_is_there", lambda: True)
        monkeypatch.setattr(questions, "ask", lambda prompt, shown: Secret("letmein"))
        assert servers.run("second", "id -un").stdout == "root\n"


def test_sudo_that_wants_a_terminal_gets_one_and_bash_keeps_its_own_channels(lab: Lab, hardened: Path):
    with Servers(hardened) as servers:
        told = servers.run(
            "target", "id -un; cat; tty; echo err >&2; head -c 3000000 /dev/zero; exit 3", stdin="in"
        )
        assert (told.exit, told.stderr) == (3, "err\n")
        assert told.stdout == "root\nin\nnot a tty\n" + "\0" * 3_000_000


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hardened") / "runs"


def ours(lab: Lab, hardened: Path, runs: Path, **more: Any) -> Path:
    return client_file(lab, runs, engine="fast", ssh_config=str(hardened), **more)


def test_a_run_between_hardened_servers_comes_to_the_switch(lab: Lab, hardened: Path, runs: Path):
    """That is not answered yet."""
    code, said = finish(ours(lab, hardened, runs, answers=NOT_YET))
    assert code == 3, said
    assert "answer `switch-servers: origin` to go on" in said


def test_the_origin_was_started_meanwhile_which_is_noticed(lab: Lab, hardened: Path, runs: Path):
    meanwhile.assert_noticed(lab, ours(lab, hardened, runs))


def test_it_comes_to_its_end_and_nothing_is_lost(lab: Lab, hardened: Path, runs: Path):
    """After the switch the origin is contacted through the target, whose sshd lets nobody through, at another port."""
    code, said = finish(ours(lab, hardened, runs))
    assert code == 0, said
    assert unexpected(lab) == []
    meanwhile.assert_done_again([line["step"] for line in journal(runs) if line["event"] == "step done"])
    assert lab.origin.must("ip -o -4 addr show to 169.254.0.0/16"), "it is within reach"
