"""The layers of a server's files: image, stand-in BlueMind, a client's data; each built once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bmnb.lab import identity, images, leftovers
from bmnb.lab.network import Bridge
from bmnb.lab.server import Server
from bmnb.lab.standin import fingerprint, install, populate_command

HOSTS = {"origin": 10, "target": 20, "core": 10, "mailbox": 20, "edge": 30, "repository": 40}
FQDN = {
    "origin": "mail.example.org",
    "target": "new.example.org",
    "core": "core.example.org",
    "mailbox": "mailbox.example.org",
    "edge": "edge.example.org",
    "repository": "repository.example.org",
}
POPULATE_SECONDS = 1800.0
PARTITIONS = 256
"""Of each of BlueMind's largest tables."""


@dataclass(frozen=True)
class Content:
    """What a server carries; the same values give the same bytes. `beside` are a platform's other roles;
    `mail` is "cyrus" where a real one has it."""

    release: str
    bluemind: str
    messages: int
    rows: int
    users: int
    seed: int
    family: str = "debian"
    beside: tuple[str, ...] = ()
    partitions: int = PARTITIONS
    mail: str = ""


def layers(role: str, content: Content, tell: Callable[[str], None]) -> tuple[Path, ...]:
    """The layers of a server in this role, the topmost first."""
    of_packages = content.beside or content.family == "redhat"
    more = images.PACKAGE_TOOLS if of_packages else images.MAIL if content.mail else ()
    base = images.base(content.release, tell, more)
    mark = f"{base.name}-{role}-{content.family}-{content.bluemind}-{fingerprint()[:12]}"
    installed = images.cached(f"standin-{mark}", lambda place: _install(place, base, role, content))
    data = hashlib.sha256(repr((mark, content)).encode()).hexdigest()[:16]
    populated = images.cached(
        f"data-{role}-{data}",
        lambda place: _populate(place, (installed / "upper", base), role, content, tell),
    )
    return populated / "upper", installed / "upper", base


def address_in(layer: Path) -> str:
    """The address that a populated layer's data was made for."""
    return (layer.parent / "address").read_text()


def _install(place: Path, base: Path, role: str, content: Content) -> None:
    server = Server(role, f"install-{role}", place, "", "", (base,))
    server.mount()
    try:
        install(server.root, role, content.release, content.bluemind, content.family, content.mail)
    finally:
        server.unmount()
    _keep_upper(place)


def _populate(
    place: Path, below: tuple[Path, ...], role: str, content: Content, tell: Callable[[str], None]
) -> None:
    tell(f"filling the {role} with data, once")
    with Bridge.free(place) as bridge:
        server = Server(role, f"{bridge.name}s", place, bridge.name, bridge.address(HOSTS[role]), below)
        server.mount()
        try:
            identity.give(server.root, FQDN[role], server.address, "networkd", "")
            server.start()
            others = {one: bridge.address(HOSTS[one]) for one in content.beside}
            size = content.messages, content.rows, content.users, content.seed, content.partitions
            line = populate_command(role, *size, others)
            server.must(line, POPULATE_SECONDS)
        finally:
            server.power_off()
            server.unmount()
        (place / "address").write_text(server.address)
    _keep_upper(place)
    tell(f"{role} is filled")


def _keep_upper(place: Path) -> None:
    leftovers.remove(place / "work")
    (place / "root").rmdir()
