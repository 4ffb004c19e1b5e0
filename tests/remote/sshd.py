"""An sshd of this machine on a free port of the loopback address, from a folder of its own."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bmnb.remote import Servers


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keygen(path: Path, *options: str, kind: str = "ed25519") -> Path:
    given = ["-t", kind, "-N", "", "-f", str(path), *options]
    subprocess.run(["ssh-keygen", "-q", *given], check=True)
    return path


def sign(authority: Path, key: Path, *options: str) -> Path:
    """Have an authority sign a key; return its certificate."""
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", key.name, *options, f"{key}.pub"], check=True)
    return key.with_name(f"{key.name}-cert.pub")


class Sshd:
    """A server at `port` with the host key `host` of its folder, which lets in who has the key `user`."""

    def __init__(self, place: Path) -> None:
        self.place, self.port = place, free_port()
        for name in ("host", "user"):
            keygen(place / name)
        self.allow("user")
        self.know("")

    def allow(self, *names: str) -> None:
        keys = [(self.place / f"{name}.pub").read_text() for name in names]
        (self.place / "authorized_keys").write_text("".join(keys))

    def know(self, text: str) -> None:
        """Write a list of known hosts; an empty one has the server's key."""
        key = (self.place / "host.pub").read_text()
        (self.place / "known").write_text(text or f"[127.0.0.1]:{self.port} {key}")

    @contextlib.contextmanager
    def running(self, *options: str) -> Iterator[None]:
        Path("/run/sshd").mkdir(exist_ok=True)
        usual = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            "StrictModes no",
            f"AuthorizedKeysFile {self.place / 'authorized_keys'}",
            f"PidFile {self.place / 'pid'}",
            "UsePAM no",
        ]
        keys = [] if any("HostKey " in option for option in options) else [f"HostKey {self.place / 'host'}"]
        (self.place / "sshd_config").write_text("\n".join([*options, *keys, *usual]) + "\n")
        with (self.place / "log").open("w") as log:
            daemon = subprocess.Popen(
                ["/usr/sbin/sshd", "-D", "-e", "-f", str(self.place / "sshd_config")], stderr=log
            )
        try:
            self._wait(daemon)
            yield
        finally:
            daemon.terminate()
            daemon.wait()

    def _wait(self, daemon: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 20
        while "Server listening" not in (log := (self.place / "log").read_text()):
            assert daemon.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.02)

    def config(self, more: str = "", **words: str) -> Path:
        """An ssh configuration with the server as `here`, some words of it other than usual, and more text behind."""
        named = {
            "HostName": "127.0.0.1",
            "Port": str(self.port),
            "User": "root",
            "IdentityFile": str(self.place / "user"),
            "IdentityAgent": "none",
            "UserKnownHostsFile": str(self.place / "known"),
            "GlobalKnownHostsFile": "none",
            **words,
        }
        lines = [f"  {key} {value}\n" for key, value in named.items() if value]
        path = self.place / "config"
        path.write_text(f"Host here\n{''.join(lines)}{more}\n")
        return path

    def servers(self, more: str = "", **words: str) -> Servers:
        return Servers(self.config(more, **words), work=str(self.place / "work"))

    def says(self, more: str = "", **words: str) -> str:
        """What a command says that is run there."""
        with self.servers(more, **words) as opened:
            return opened.run("here", "echo there").stdout
