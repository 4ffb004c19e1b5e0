"""A line that is dead is given up, by what this machine's system has for that."""

import socket
import sys

import pytest

from bmnb.remote import transport
from tests.remote.sshd import Sshd


class Options:
    """A socket that keeps what was set on it."""

    def __init__(self) -> None:
        self.set: list[tuple[int, int, int]] = []

    def setsockopt(self, *option: int) -> None:
        self.set.append(option)  # type: ignore[arg-type]


def test_linux_counts_in_milliseconds():
    seen = Options()
    transport._give_up_after(seen, 120)  # type: ignore[arg-type]
    assert seen.set == [(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 120_000)]


def test_macos_has_another_option_which_counts_in_seconds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(socket, "TCP_USER_TIMEOUT")
    monkeypatch.setattr(sys, "platform", "darwin")
    seen = Options()
    transport._give_up_after(seen, 120)  # type: ignore[arg-type]
    assert seen.set == [(socket.IPPROTO_TCP, 0x80, 120)]


def test_a_server_is_reached_where_the_system_has_neither(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delattr(socket, "TCP_USER_TIMEOUT")
    sshd = Sshd(tmp_path_factory.mktemp("sshd"))
    with sshd.running():
        assert sshd.says() == "there\n"
