"""Host keys by OpenSSH's rules: a server is let in only if its key is known, or its certificate's authority."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.serialization.ssh import (
    SSHCertificate,
    SSHCertificateType,
    load_ssh_public_identity,
)

from bmnb.errors import ConnectionFailed
from bmnb.remote.config import Address

CERTIFICATE = "-cert-v01@openssh.com"


@dataclass(frozen=True)
class Known:
    """A key of a list of known hosts; `mark` is `@cert-authority`, `@revoked` or nothing."""

    mark: str
    kind: str
    key: bytes
    place: str


def known(address: Address) -> list[Known]:
    """What the lists say of a server. A line that is cut or garbled says nothing, as with ssh."""
    found = list(_listed(address, address.alias))
    if not any(one.mark != "@revoked" for one in found) and address.alias.startswith("["):
        # ssh takes the name without its port then
        found += _listed(address, _without_port(address))
    return found


def _listed(address: Address, name: str) -> Iterator[Known]:
    for path in address.known_hosts:
        if not path.is_file():
            continue
        told = subprocess.run(
            ["ssh-keygen", "-F", name, "-f", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        ).stdout
        number = "?"
        for line in told.splitlines():
            if found := re.fullmatch(r"# Host .* found: line (\d+).*", line):
                number = found[1]
            elif one := _read(line, f"{path} line {number}"):
                yield one


def _read(line: str, place: str) -> Known | None:
    words = line.split()
    mark = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3:
        return None
    try:
        key = base64.b64decode(words[2], validate=True)
    except binascii.Error:
        return None
    # a key begins with the length of its type's name, and that name
    begins = len(words[1]).to_bytes(4, "big") + words[1].encode()
    return Known(mark, words[1], key, place) if key.startswith(begins) and len(key) > len(begins) else None


def algorithms(address: Address, able: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are `able` and wished, first of them what is known, so that the server shows a key of that kind."""
    have = known(address)
    kinds = {one.kind for one in have if not one.mark}
    trusts = any(one.mark == "@cert-authority" for one in have)

    def rank(name: str) -> int:
        if name.endswith(CERTIFICATE):
            return 0 if trusts else 2
        # rsa-sha2-512 and rsa-sha2-256 are signatures of a key of type ssh-rsa
        return 1 if ("ssh-rsa" if name.startswith("rsa-sha2") else name) in kinds else 3

    return tuple(sorted((name for name in address.key_algorithms if name in able), key=rank))


def _without_port(address: Address) -> str:
    """The alias, also where the server is contacted at another address, without brackets and port, as ssh takes it."""
    return re.sub(r"^\[(.*)\]:\d+$", r"\1", address.alias)


def refuse_stranger(address: Address, offered: bytes) -> None:
    """Raise ConnectionFailed unless the offered key, or certificate, is known for this server."""
    have, plain = known(address), offered
    if _kind(offered).endswith(CERTIFICATE):
        certificate = _certificate(address, offered)
        plain = _plain(certificate.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
        authority = _plain(certificate.signature_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
        _refuse_revoked(address, have, authority)
        if any(one.mark == "@cert-authority" and one.key == authority for one in have):
            _refuse_revoked(address, have, plain)
            _refuse_certificate(address, certificate)
            return
    _refuse_revoked(address, have, plain)
    if any(not one.mark and one.key == plain for one in have):
        return
    kind = _kind(plain)
    other = next((one for one in have if not one.mark and one.kind == kind), None)
    raise _changed(address, plain, other) if other else _unknown(address, plain, have)


def _certificate(address: Address, offered: bytes) -> SSHCertificate:
    try:
        found = load_ssh_public_identity(_line(offered))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConnectionFailed(
            f"{_where(address)}: the host's certificate cannot be read: {error}"
        ) from error
    assert isinstance(found, SSHCertificate)
    return found


def _refuse_revoked(address: Address, have: list[Known], key: bytes) -> None:
    for one in have:
        if one.mark == "@revoked" and one.key == key:
            raise ConnectionFailed(
                f"{_where(address)}: the host key {_kind(key)} {fingerprint(key)} is revoked by {one.place}\n"
                "  → whoever has that key may be another: ask who revoked it, and have the server make new keys"
            )
    if address.revoked and (why := _listed_as_revoked(address.revoked, key)):
        raise ConnectionFailed(
            f"{_where(address)}: the host key {fingerprint(key)} is revoked by {address.revoked}, "
            f"RevokedHostKeys of ssh's configuration: {why}"
        )


def _listed_as_revoked(path: Path, key: bytes) -> str:
    """Why a key is revoked by a list: a file of public keys or of OpenSSH's own kind. One that cannot be read revokes all."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if not content.startswith(b"SSHKRL"):
        lines = [line.split()[:2] for line in content.splitlines()]
        return "it stands there" if _line(key).split() in lines else ""
    asked = subprocess.run(
        ["ssh-keygen", "-Q", "-f", str(path), "/dev/stdin"],
        input=_line(key),
        capture_output=True,
        check=False,
    )
    return asked.stdout.decode().strip() or "it cannot be read" if asked.returncode else ""


def _refuse_certificate(address: Address, certificate: SSHCertificate) -> None:
    """A certificate of an authority that is trusted: ssh takes no plain key in its place."""
    name = _without_port(address)
    now, wrong = time.time(), ""
    try:
        certificate.verify_cert_signature()
    except (InvalidSignature, UnsupportedAlgorithm):
        wrong = "its signature is wrong"
    if certificate.type != SSHCertificateType.HOST:
        wrong = "it is a user's"
    elif not certificate.valid_after <= now < certificate.valid_before:
        wrong = "it is not valid at this hour by this machine's clock"
    elif certificate.critical_options:
        wrong = f"it has options that are not known: {', '.join(map(_text, certificate.critical_options))}"
    elif certificate.valid_principals and not any(
        fnmatchcase(name, _text(one).lower()) for one in certificate.valid_principals
    ):
        wrong = f"it is for {', '.join(map(_text, certificate.valid_principals))}, not for {name}"
    if wrong:
        raise ConnectionFailed(
            f"{_where(address)}: the host's certificate {_text(certificate.key_id)} cannot be accepted: {wrong}\n"
            "  → have its authority sign the host's key anew (ssh-keygen -s CA -h -n NAME), or set HostKeyAlias "
            "to a name that it is for"
        )


def _unknown(address: Address, key: bytes, have: list[Known]) -> ConnectionFailed:
    said = f"{_kind(key)} {fingerprint(key)}"
    others = "".join(
        f"\n  known is {one.kind} {fingerprint(one.key)} ({one.place})" for one in have if not one.mark
    )
    kind = _kind(key).removeprefix("ssh-").partition("-")[0]
    lists = [path for path in address.known_hosts if str(path) != "/dev/null"]
    strict = (
        f"\n  StrictHostKeyChecking {address.strict} is not followed here: a key is accepted by a person"
        if address.strict in ("no", "off", "false", "accept-new")
        else ""
    )
    to = lists[0] if lists else "FILE, and name it as UserKnownHostsFile"
    return ConnectionFailed(
        f"{_where(address)}: unknown host key {said}{others}{strict}\n"
        f"  → compare it on the server's console: ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub\n"
        f"  → then accept it: echo '{address.alias} {_line(key).decode()}' >> {to}"
    )


def _changed(address: Address, key: bytes, have: Known) -> ConnectionFailed:
    file = have.place.rpartition(" line ")[0]
    return ConnectionFailed(
        f"{_where(address)}: the host key has changed: known is {fingerprint(have.key)} ({have.place}), "
        f"offered is {_kind(key)} {fingerprint(key)}\n"
        f"  → another machine answers at this address, or the server was installed anew; find out which\n"
        f"  → only then forget the old key: ssh-keygen -R '{address.alias}' -f {file}"
    )


def _where(address: Address) -> str:
    return f"{address.name} ({address.hostname})"


def _kind(key: bytes) -> str:
    return key[4 : 4 + int.from_bytes(key[:4], "big")].decode()


def _line(key: bytes) -> bytes:
    return f"{_kind(key)} {base64.b64encode(key).decode()}".encode()


def _plain(line: bytes) -> bytes:
    return base64.b64decode(line.split()[1])


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def fingerprint(key: bytes) -> str:
    """SHA-256 of a key, written as ssh-keygen does."""
    digest = hashlib.sha256(key).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
