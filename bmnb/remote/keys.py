"""The keys to log in with: those of ssh's configuration, and those of its agent.

A key that is locked with a passphrase is opened once, and stays in memory.
"""

from __future__ import annotations

import base64
import binascii
import copy
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import paramiko
from paramiko.agent import AgentSSH
from paramiko.pkey import PublicBlob, UnknownKeyType

from bmnb.errors import InputError
from bmnb.redact import Secret
from bmnb.remote.config import Address
from bmnb.remote.hostkeys import CERTIFICATE, fingerprint

_opened: dict[str, paramiko.PKey] = {}

UNUSABLE = (OSError, paramiko.SSHException, UnknownKeyType, ValueError, TypeError)
AGENT_SECONDS = 60.0
"""How long an agent may take: a person touches a key, or agrees to its use."""


class Agent(AgentSSH):
    """The agent at this socket; one that is away has no keys."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.wrong = ""
        if not path:
            return
        try:
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(AGENT_SECONDS)
            line.connect(path)
            self._connect(line)  # type: ignore[attr-defined]
        except (OSError, paramiko.SSHException) as error:
            self.wrong = f"the agent at {path} does not answer: {error}"

    def close(self) -> None:
        self._close()  # type: ignore[attr-defined]

    def held(self) -> list[paramiko.AgentKey]:
        keys = list(self.get_keys())
        for key in keys:
            if key.get_name().endswith(CERTIFICATE):
                # it is the certificate that is shown, and that the agent signs for
                key.inner_key = None  # type: ignore[attr-defined]
        return keys


def offered(address: Address, agent: Agent) -> Iterator[tuple[str, paramiko.PKey]]:
    """What to show to a server, by name: first what the configuration names, certificates before their keys.

    OpenSSH shows all of the agent's keys before a key that is in a file only; a server that counts attempts
    (MaxAuthTries) then ends before the right one comes.
    """
    in_agent = {key.blob: key for key in agent.held()}
    shown = set[bytes]()
    for path in (*address.certificates, *(f"{key.removesuffix('.pub')}-cert.pub" for key in address.keys)):
        certificate = _public(path)
        if certificate is None or certificate.key_blob in shown:
            continue
        shown.add(certificate.key_blob)
        if certificate.key_blob in in_agent:
            yield f"{path} (agent)", in_agent[certificate.key_blob]
        elif signer := _signer(certificate, address, in_agent):
            yield path, _with(signer, certificate)
    for path in address.keys:
        public = _public_of(path)
        if public in in_agent and public not in shown:
            shown.add(public)
            yield f"{path} (agent)", in_agent[public]
        elif (key := _opened.get(path) or _read(path)) and key.asbytes() not in shown:
            shown.add(key.asbytes())
            yield path, _with(key, None)
    if not address.identities_only:
        for blob, key in in_agent.items():
            if blob not in shown:
                yield f"{key.comment or key.get_name()} {fingerprint(blob)} (agent)", key


def _with(key: paramiko.PKey, certificate: PublicBlob | None) -> paramiko.PKey:
    showing: Any = (
        paramiko.AgentKey(key.agent, key.blob, key.comment)
        if isinstance(key, paramiko.AgentKey)
        else copy.copy(key)
    )
    showing.public_blob = certificate
    return cast(paramiko.PKey, showing)


def _signer(
    certificate: PublicBlob, address: Address, in_agent: dict[bytes, paramiko.AgentKey]
) -> paramiko.PKey | None:
    """Who has the private half of a certificate's key."""
    for blob, key in in_agent.items():
        if _is_of(certificate, blob):
            return key
    for path in address.keys:
        own = _opened.get(path) or _read(path)
        if own and _is_of(certificate, own.asbytes()):
            return own
    return None


def _is_of(certificate: PublicBlob, key: bytes) -> bool:
    """Whether a certificate is of this key: after type and nonce it has the same numbers."""
    kind = key[4 : 4 + int.from_bytes(key[:4], "big")].decode(errors="replace")
    wanted = kind.removesuffix("@openssh.com") + CERTIFICATE
    numbers = key[4 + len(kind) :]
    if certificate.key_type != wanted:
        return False
    after = 4 + len(wanted)
    nonce = int.from_bytes(certificate.key_blob[after : after + 4], "big")
    return certificate.key_blob[after + 4 + nonce :].startswith(numbers)


def notes(address: Address, agent: Agent) -> list[str]:
    """Why a key of the configuration that is there was not shown."""
    told = [agent.wrong] if agent.wrong else []
    in_agent = {key.blob for key in agent.held()}
    for path in address.keys:
        public = _public_of(path)
        if public in in_agent:
            continue
        if public is not None and public[4:].startswith((b"sk-",)):
            told.append(f"{path} is of a security key, which works through the agent: ssh-add {path}")
        elif path in locked(address, agent):
            told.append(f"{path} is locked by its passphrase; open it in the notebook, or ssh-add {path}")
        elif path.endswith(".pub") and public is not None:
            told.append(f"{path} is a public key, and the agent does not have its private half")
    return told


def locked(address: Address, agent: Agent) -> list[str]:
    """The files whose key can be had with a passphrase only, and that the agent does not have."""
    in_agent = {key.blob for key in agent.held()}
    return [
        path
        for path in address.keys
        if path not in _opened and _is_locked(path) and _public_of(path) not in in_agent
    ]


def unlock(path: str, passphrase: Secret) -> None:
    """Open a key for as long as this process lives. Raise InputError where the passphrase is wrong."""
    try:
        # bytes, whatever its stub says: they go to `cryptography` as they are
        _opened[path] = paramiko.PKey.from_path(path, passphrase.reveal().encode())  # type: ignore[arg-type]
    except UNUSABLE:
        # without its cause, which may tell of the passphrase
        raise InputError(f"the passphrase does not open {path}") from None


def _read(path: str) -> paramiko.PKey | None:
    try:
        return paramiko.PKey.from_path(path)
    except UNUSABLE:
        return None


def _is_locked(path: str) -> bool:
    """Whether a file has a private key that no passphrase is needed to recognize, and one to open."""
    try:
        text = Path(path).read_text(errors="replace")
    except OSError:
        return False
    if "PRIVATE KEY-----" not in text:
        return False
    if "OPENSSH PRIVATE KEY" in text:
        cipher, blob = _openssh(text)
        return cipher != "none" and not blob[4:].startswith(b"sk-")
    return "ENCRYPTED" in text


def _public_of(path: str) -> bytes | None:
    """The public half of a key: of the file itself, or of the one with `.pub`."""
    for name in (path, f"{path}.pub"):
        if public := _public(name):
            return bytes(public.key_blob)
    try:
        text = Path(path).read_text(errors="replace")
    except OSError:
        return None
    return _openssh(text)[1] or None


def _public(path: str) -> PublicBlob | None:
    try:
        words = Path(path).read_text(errors="replace").split()
        return PublicBlob(words[0], base64.b64decode(words[1], validate=True)) if len(words) > 1 else None
    except (OSError, binascii.Error):
        return None


def _openssh(text: str) -> tuple[str, bytes]:
    """Cipher and public key of a private key in OpenSSH's format, which are readable without a passphrase.

    By PROTOCOL.key of OpenSSH.
    """
    body = "".join(line for line in text.splitlines() if line and "-----" not in line)
    try:
        message = paramiko.Message(base64.b64decode(body))
    except binascii.Error:
        return "none", b""
    if message.get_bytes(15) != b"openssh-key-v1\0":
        return "none", b""
    cipher = message.get_text()
    message.get_binary(), message.get_binary(), message.get_int()
    return cipher, bytes(message.get_binary())
