"""A lab: an origin and a target, joined by a bridge, and the ssh configuration to reach them."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bmnb.errors import InputError
from bmnb.lab import addresses, identity, images, layers, leftovers, snapshots
from bmnb.lab.host import LABS, call, require
from bmnb.lab.layers import FQDN, HOSTS, PARTITIONS, Content
from bmnb.lab.network import Bridge
from bmnb.lab.pace import AT_ONCE, Pace
from bmnb.lab.server import Server, find_nspawn
from bmnb.lab.standin.server.variants import VARIANTS

Tell = Callable[[str], None]
UPDATE = {"debian": ("core", "mailbox", "edge"), "redhat": ("core",)}
"""Servers of a platform for an update, by the family of its distribution."""


def silent(text: str) -> None:
    """Say nothing."""


def checked(name: str, of: str) -> str:
    """A name of which a folder can be made."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
        raise InputError(f"{name!r} cannot be the name of {of}: letters, digits, - and _, 40 at most")
    return name


class Lab:
    """A lab by its name; what is up is known from files, so that any process can take it down."""

    def __init__(self, name: str = "lab", tell: Tell = silent) -> None:
        self.name, self.tell = checked(name, "a lab"), tell
        self.place = LABS / name

    def up(
        self,
        origin: str = "bullseye",
        target: str = "bookworm",
        messages: int = 20_000,
        rows: int = 200_000,
        users: int = 400,
        seed: int = 1,
        bluemind: str = "4.9",
        origin_network: str = "ifupdown",
        target_network: str = "networkd",
        wal_level: str = "replica",
        handles: bool = False,
        partitions: int = PARTITIONS,
        origin_family: str = "debian",
        mail: str = "",
        pace: Pace = AT_ONCE,
    ) -> Lab:
        """Boot an origin with a client's data and a target fresh from the setup wizard."""
        if mail and not VARIANTS[bluemind].cyrus:
            raise InputError(f"BlueMind {bluemind} has no Cyrus")
        contents = {
            "origin": Content(
                origin,
                bluemind,
                messages,
                rows,
                users,
                seed,
                origin_family,
                partitions=partitions,
                mail=mail,
            ),
            "target": Content(target, bluemind, 0, 0, 0, seed, partitions=partitions, mail=mail),
        }
        networks = {"origin": origin_network, "target": target_network}
        return self._up(contents, networks, wal_level, handles, pace)

    def up_for_update(self, family: str = "debian", bluemind: str = "4.9", users: int = 40) -> Lab:
        """Boot a platform beside the server of its repositories: core, mailbox, edge; of RedHat's family a core alone."""
        platform = UPDATE[family]
        roles = (*platform, "repository")
        contents = {
            role: Content(
                "bookworm",
                bluemind,
                messages=500,
                rows=8_000,
                users=users,
                seed=1,
                family="debian" if role == "repository" else family,
                beside=tuple(one for one in roles if one != role),
            )
            for role in roles
        }
        self._up(contents, dict.fromkeys(roles, "networkd"))
        return self

    def _up(
        self,
        contents: dict[str, Content],
        networks: dict[str, str],
        wal_level: str = "replica",
        handles: bool = False,
        pace: Pace = AT_ONCE,
    ) -> Lab:
        require()
        if self.place.exists():
            raise InputError(
                f"the lab {self.name!r} is up, or was left by a crash: bmnb lab down --name {self.name}"
            )
        below = images.side_by_side(lambda role: layers.layers(role, contents[role], self.tell), contents)
        try:
            return self._boot_all(contents, below, networks, wal_level, handles, pace)
        except (KeyboardInterrupt, SystemExit):
            self.down()
            raise

    def _boot_all(
        self,
        contents: dict[str, Content],
        below: dict[str, tuple[Path, ...]],
        networks: dict[str, str],
        wal_level: str,
        handles: bool,
        pace: Pace,
    ) -> Lab:
        self.place.mkdir(parents=True)
        self._write(
            {
                "bridge": Bridge.free(self.place).number,
                "releases": {role: content.release for role, content in contents.items()},
                "layers": {role: [str(path) for path in paths] for role, paths in below.items()},
                "handles": handles,
                "slower": pace.slower,
            }
        )
        self._make_key()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: self._prepare(server, networks[server.name]), self.servers))
        for server in self.servers:
            pace.give(server.root)
        if wal_level != "replica":
            for folder in (self.origin.root / "etc/postgresql").glob("*/main/conf.d"):
                (folder / "wal_level.conf").write_text(f"wal_level = {wal_level}\n")
        self._trust_repository()
        self._write_ssh_config()
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._boot, self.servers))
        return self

    def _trust_repository(self) -> None:
        """Servers of a platform have the keys of its repositories from the start."""
        key = self.place / "repository/root/var/www/repository/bluemind-deb.asc"
        for server in self.servers if key.exists() else []:
            keyrings = server.root / "etc/apt/keyrings"
            keyrings.mkdir(parents=True, exist_ok=True)
            for name in ("bluemind.asc", "system.asc"):
                shutil.copyfile(key, keyrings / name)

    def down(self) -> None:
        """Take everything away: servers, mounts, bridge, files. Also what a crash has left; also twice."""
        require()
        leftovers.clear(self.place)

    def save(self, snapshot: str) -> None:
        """Keep both servers as they are under this name, in place of an earlier one; they restart for it."""
        self._timed(snapshots.save, snapshot, "saved as")

    def restore(self, snapshot: str) -> None:
        """Have both servers as they were saved, in seconds; what they have done since is lost."""
        self._timed(snapshots.restore, snapshot, "restored to")

    def _timed(self, do: Callable[[Sequence[Server], Path], None], snapshot: str, what: str) -> None:
        require()
        if self._read().get("handles"):
            raise InputError(
                f"the lab {self.name!r} was made with --handles: copies of its servers' files would have other "
                "handles, so it cannot be saved; make one without --handles"
            )
        began = time.monotonic()
        do(self.servers, self._snapshots / checked(snapshot, "a snapshot"))
        self.tell(f"{what} {snapshot} in {time.monotonic() - began:.1f} s")

    @property
    def _snapshots(self) -> Path:
        return self.place / "snapshots"

    def status(self) -> list[dict[str, Any]]:
        """A row a server: release, address, whether it runs, to what it can be restored."""
        if not (self.place / "lab.json").exists():
            return []
        releases = self._read()["releases"]
        return [
            {
                "server": server.name,
                "release": releases[server.name],
                "address": server.address,
                "machine": server.machine,
                "pid": find_nspawn(server.machine),
                "running": server.leader is not None,
                "snapshots": snapshots.names(self._snapshots),
            }
            for server in self.servers
        ]

    @property
    def servers(self) -> list[Server]:
        return [self.server(role) for role in self._read()["layers"]]

    @property
    def origin(self) -> Server:
        return self.server("origin")

    @property
    def target(self) -> Server:
        return self.server("target")

    def server(self, role: str) -> Server:
        bridge = self.bridge
        return Server(
            role,
            f"{bridge.name}{role[0]}",
            self.place / role,
            bridge.name,
            bridge.address(HOSTS[role]),
            tuple(Path(path) for path in self._read()["layers"][role]),
            self._read().get("handles", False),
            self._read().get("slower", 0.0),
        )

    @property
    def bridge(self) -> Bridge:
        return Bridge(self._read()["bridge"])

    @property
    def ssh_config(self) -> Path:
        """An ssh configuration with the lab's servers by their roles, whose keys are known."""
        return self.place / "ssh" / "config"

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *error: object) -> None:
        self.down()

    def _prepare(self, server: Server, network: str) -> None:
        server.mount()
        addresses.change(server.root, layers.address_in(server.layers[0]), server.address)
        identity.give(server.root, FQDN[server.name], server.address, network, self._public_key())

    def _boot(self, server: Server) -> None:
        server.start()
        addresses.assert_changed(server.root)

    def _read(self) -> dict[str, Any]:
        path = self.place / "lab.json"
        if not path.exists():
            raise InputError(f"no lab {self.name!r} is up: bmnb lab up --name {self.name}")
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def _write(self, state: dict[str, Any]) -> None:
        new = self.place / "lab.json.new"
        new.write_text(json.dumps(state))
        new.rename(self.place / "lab.json")

    def _make_key(self) -> None:
        folder = self.ssh_config.parent
        folder.mkdir()
        call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab-{self.name}", "-f", folder / "key")

    def _public_key(self) -> str:
        return (self.ssh_config.parent / "key.pub").read_text()

    def _write_ssh_config(self) -> None:
        folder = self.ssh_config.parent
        known = [
            f"{server.address} {key}\n" for server in self.servers for key in identity.host_keys(server.root)
        ]
        (folder / "known_hosts").write_text("".join(known))
        self.ssh_config.write_text(
            "".join(
                f"Host {server.name}\n  HostName {server.address}\n  User root\n"
                f"  IdentityFile {folder / 'key'}\n  IdentitiesOnly yes\n"
                f"  UserKnownHostsFile {folder / 'known_hosts'}\n  StrictHostKeyChecking yes\n\n"
                for server in self.servers
            )
        )
