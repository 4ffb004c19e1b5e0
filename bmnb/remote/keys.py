"""Private keys of this machine. One that is locked with a passphrase is opened once, and stays in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType

from bmnb.errors import InputError
from bmnb.redact import Secret

_opened: dict[str, paramiko.PKey] = {}

UNUSABLE = (OSError, paramiko.SSHException, UnknownKeyType, ValueError, TypeError)


def known(paths: Iterable[str]) -> Iterator[tuple[str, paramiko.PKey]]:
    """The keys in these files, or in the usual ones, that are not locked or were opened; then the agent's."""
    for path in paths or usual():
        key = _opened.get(path) or _read(path)
        if key:
            yield path, key
    for key in paramiko.Agent().get_keys():
        yield f"agent: {key.get_name()}", key


def locked(paths: Iterable[str]) -> list[str]:
    """The files whose key can be had with a passphrase only; the agent may have it nevertheless."""
    there = [path for path in paths or usual() if Path(path).is_file()]
    return [path for path in there if path not in _opened and not _read(path)]


def unlock(path: str, passphrase: Secret) -> None:
    """Open a key for as long as this process lives. Raise InputError where the passphrase is wrong."""
    try:
        # bytes, whatever its stub says: they go to `cryptography` as they are
        _opened[path] = paramiko.PKey.from_path(path, passphrase.reveal().encode())  # type: ignore[arg-type]
    except UNUSABLE as error:
        raise InputError(f"the passphrase does not open {path}") from error


def usual() -> list[str]:
    return [str(Path(f"~/.ssh/id_{kind}").expanduser()) for kind in ("ed25519", "ecdsa", "rsa")]


def _read(path: str) -> paramiko.PKey | None:
    try:
        return paramiko.PKey.from_path(path)
    except UNUSABLE:
        return None
