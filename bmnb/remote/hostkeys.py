"""Host keys: a server is let in only if its key is known."""

from __future__ import annotations

import base64
import hashlib

import paramiko

from bmnb.errors import ConnectionFailed
from bmnb.remote.config import Address


def known(address: Address) -> paramiko.HostKeys:
    keys = paramiko.HostKeys()
    for path in address.known_hosts:
        if path.exists():
            keys.load(str(path))
    return keys


def algorithms(address: Address) -> list[str]:
    """The types of the keys that are known of this server, so that it shows one of them."""
    entry = known(address).lookup(address.alias)
    return list(entry.keys()) if entry else []


def refuse_stranger(address: Address, offered: paramiko.PKey) -> None:
    """Raise ConnectionFailed unless the offered key is known for this server."""
    entry = known(address).lookup(address.alias)
    have = entry.get(offered.get_name()) if entry else None
    if have is not None and have == offered:
        return
    said = f"{offered.get_name()} {fingerprint(offered)}"
    if have is None:
        raise ConnectionFailed(
            f"{address.name} ({address.hostname}): unknown host key {said}\n"
            f"  → compare it on the server's console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n"
            f"  → then accept it: ssh-keyscan -p {address.port} {address.hostname} >> {address.known_hosts[0]}"
        )
    raise ConnectionFailed(
        f"{address.name} ({address.hostname}): the host key has changed: known is {fingerprint(have)}, "
        f"offered is {said}\n"
        f"  → another machine answers at this address, or the server was installed anew; find out which\n"
        f"  → only then forget the old key: ssh-keygen -R '{address.alias}' -f {address.known_hosts[0]}"
    )


def fingerprint(key: paramiko.PKey) -> str:
    """SHA-256 of a key, written as ssh-keygen does."""
    digest = hashlib.sha256(key.asbytes()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
