"""Servers as `~/.ssh/config` names them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import paramiko

from bmnb.errors import InputError


@dataclass(frozen=True)
class Address:
    """Where and how a server is contacted; `alias` is its name in the lists of known hosts."""

    name: str
    hostname: str
    port: int
    user: str
    keys: tuple[str, ...]
    known_hosts: tuple[Path, ...]
    alias: str
    jump: tuple[str, ...]


class Config:
    """An ssh configuration file; a missing one is the same as an empty one."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path("~/.ssh/config").expanduser()
        try:
            self._config = (
                paramiko.SSHConfig.from_path(str(self.path)) if self.path.exists() else paramiko.SSHConfig()
            )
        except (OSError, paramiko.ConfigParseError) as error:
            raise InputError(f"ssh configuration {self.path}: {error}") from error

    def hosts(self) -> set[str]:
        return set(self._config.get_hostnames())

    def find(self, name: str) -> Address:
        """The address of a server's name. `user@host:port` is understood for jump hosts."""
        user, _, rest = name.rpartition("@")
        host, _, port = rest.partition(":")
        found = self._config.lookup(host)
        jump = str(found.get("proxyjump", "none"))
        files = str(found.get("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")).split()
        hostname = str(found["hostname"])
        at = int(port or str(found.get("port", 22)))
        return Address(
            name=name,
            hostname=hostname,
            port=at,
            user=user or str(found.get("user", "root")),
            keys=tuple(str(Path(key).expanduser()) for key in found.get("identityfile", [])),
            known_hosts=tuple(Path(file).expanduser() for file in (*files, "/etc/ssh/ssh_known_hosts")),
            alias=str(found.get("hostkeyalias", hostname if at == 22 else f"[{hostname}]:{at}")),
            jump=() if jump.lower() == "none" else tuple(part.strip() for part in jump.split(",")),
        )


def names(path: Path) -> list[str]:
    """The servers that an ssh configuration names, without patterns."""
    found = Config(path).hosts()
    return sorted(name for name in found if not set(name) & set("*?!"))
