"""Each connection to the socket goes through a command of its own, to its end."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmnb.transfer.programs import way


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A socket behind which `cat` answers, where an earlier one was left."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    listening = subprocess.Popen([sys.executable, way.__file__, "listen", path, "cat"])
    yield path
    listening.kill()
    listening.wait()


def connected(path: Path) -> socket.socket:
    """It is refused, or not there, until the program listens."""
    one = socket.socket(socket.AF_UNIX)
    while one.connect_ex(str(path)):
        time.sleep(0.01)
    return one


def test_connections_do_not_mix_and_end_by_themselves(path: Path):
    with connected(path) as one, connected(path) as other:
        one.sendall(b"one")
        other.sendall(b"other")
        other.shutdown(socket.SHUT_WR)
        assert (other.recv(100), other.recv(100)) == (b"other", b"")
        assert one.recv(100) == b"one"
