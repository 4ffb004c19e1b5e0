"""Servers whose sshd is hardened: another port and other host keys, no forwarding, few sessions, no root, sudo with a
terminal, a second factor.

One story on one small lab, with the fast engine.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bmnb.errors import ConnectionFailed
from bmnb.lab import Lab
from bmnb.redact import Secret
from bmnb.remote import Servers, questions
from tests.lab.migration import client_file, finish

pytestmark = pytest.mark.lab
OPTIONS = {"messages": 200, "rows": 1_000, "users": 8}

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


def test_a_whole_run_between_hardened_servers(lab: Lab, hardened: Path, tmp_path: Path):
    """After the switch the origin is contacted through the target, whose sshd lets nobody through, at another port."""
    status, said = finish(client_file(lab, tmp_path, engine="fast", ssh_config=str(hardened)))
    assert status == 0, said
    assert lab.origin.must("ip -o -4 addr show to 169.254.0.0/16"), "it is within reach"
