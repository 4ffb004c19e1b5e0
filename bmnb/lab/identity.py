"""What makes a server this one and no other: name, machine-id, host keys, address, who may log in."""

from __future__ import annotations

import uuid
from pathlib import Path

from bmnb.errors import InputError
from bmnb.lab.host import call

NETWORKS = ("ifupdown", "networkd", "netplan")


def give(root: Path, fqdn: str, address: str, network: str, authorized: str) -> None:
    """Write a server's identity into its mounted root, before it boots."""
    (root / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")
    (root / "etc/hostname").write_text(fqdn.split(".")[0] + "\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{address} {fqdn} {fqdn.split('.')[0]}\n")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    call("ssh-keygen", "-A", "-f", root)
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
    interfaces = "auto lo\niface lo inet loopback\n"
    if network == "ifupdown":
        interfaces += f"\nauto host0\niface host0 inet static\n  address {address}/24\n"
    (root / "etc/network/interfaces").write_text(interfaces)
    networkd, netplan = root / "etc/systemd/network/10-host0.network", root / "etc/netplan/10-host0.yaml"
    for path in (networkd, netplan):
        path.unlink(missing_ok=True)
    if network == "networkd":
        networkd.write_text(f"[Match]\nName=host0\n\n[Network]\nAddress={address}/24\n")
    if network == "netplan":
        netplan.write_text(
            "network:\n  version: 2\n  renderer: networkd\n  ethernets:\n    host0:\n"
            f"      addresses:\n        - {address}/24\n"
        )
        netplan.chmod(0o600)
    verb = "disable" if network == "ifupdown" else "enable"
    call("chroot", root, "systemctl", verb, "systemd-networkd.service")
