"""What makes a server this one and no other: name, machine-id, host keys, address, who may log in."""

from __future__ import annotations

import uuid
from pathlib import Path

from bmnb.errors import InputError
from bmnb.lab.host import call

LOOPBACK = "auto lo\niface lo inet loopback\n"
NETWORKS = {
    "ifupdown": (
        "etc/network/interfaces",
        LOOPBACK + "\nauto host0\niface host0 inet static\n  address {address}/24\n",
    ),
    "networkd": (
        "etc/systemd/network/10-host0.network",
        "[Match]\nName=host0\n\n[Network]\nAddress={address}/24\n",
    ),
    "netplan": (
        "etc/netplan/10-host0.yaml",
        "network:\n  version: 2\n  renderer: networkd\n  ethernets:\n    host0:\n"
        "      addresses:\n        - {address}/24\n",
    ),
    "networkmanager": (
        "etc/NetworkManager/system-connections/host0.nmconnection",
        "[connection]\nid=host0\nuuid=6d1c0e9a-4a54-4c0b-8d39-0f0c6b0c5a11\ntype=ethernet\ninterface-name=host0\n\n"
        "[ipv4]\naddress1={address}/24\nmethod=manual\n\n[ipv6]\nmethod=link-local\n",
    ),
}
"""What configures a server's network, with its file and what that says."""
SECRET = ("netplan", "networkmanager")
"""Those whose files root alone may read."""
SERVICES = {
    "systemd-networkd.service": ("networkd", "netplan"),
    "NetworkManager.service": ("networkmanager",),
}
HOST_KEYS = {"rsa": "2048", "ecdsa": "256", "ed25519": "256"}
"""Those that OpenSSH makes; its RSA keys have more bits, which take some seconds of a processor to find."""


def give(root: Path, fqdn: str, address: str, network: str, authorized: str) -> None:
    """Write a server's identity into its mounted root, before it boots."""
    (root / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")
    (root / "etc/hostname").write_text(fqdn.split(".")[0] + "\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{address} {fqdn} {fqdn.split('.')[0]}\n")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for kind, bits in HOST_KEYS.items():
        key = root / f"etc/ssh/ssh_host_{kind}_key"
        call("ssh-keygen", "-q", "-N", "", "-C", f"root@{fqdn}", "-t", kind, "-b", bits, "-f", key)
    ssh = root / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    (ssh / "authorized_keys").write_text(authorized)
    (ssh / "authorized_keys").chmod(0o600)
    _network(root, address, network)


def host_keys(root: Path) -> list[str]:
    return [path.read_text().strip() for path in sorted((root / "etc/ssh").glob("ssh_host_*_key.pub"))]


def _network(root: Path, address: str, network: str) -> None:
    if network not in NETWORKS:
        raise InputError(f"{network!r} is not one of {', '.join(NETWORKS)}")
    for name, (path, text) in NETWORKS.items():
        file = root / path
        if name == network:
            file.write_text(text.format(address=address))
            file.chmod(0o600 if name in SECRET else 0o644)
        elif name == "ifupdown":
            file.write_text(LOOPBACK)
        else:
            file.unlink(missing_ok=True)
    for unit, of in SERVICES.items():
        call("chroot", root, "systemctl", "enable" if network in of else "disable", unit)
