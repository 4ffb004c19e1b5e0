"""The line to a server's sshd: made as ssh makes it, the host's key compared, logged in."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, ClassVar, NamedTuple

import paramiko
from paramiko.kex_curve25519 import KexCurve25519

from bmnb.errors import ConnectionFailed
from bmnb.remote import hostkeys, login
from bmnb.remote.config import Address

KEEPALIVE_SECONDS = 15
SILENT_SECONDS = 120
"""How long a line may be dead until the connection is given up. TCP tries again at growing intervals: after a
cut of a minute data may flow as late as this."""
WINDOW = 8 << 20
DROPPED_SECONDS = 0.5
MACOS_RXT_CONNDROPTIME = 0x80
"""TCP_RXT_CONNDROPTIME of macOS' netinet/tcp.h, in seconds, which Python does not name."""


class Reach(NamedTuple):
    """A server that others are reached through, and what opens a stream from it to a host's port."""

    through: str
    open: Callable[[str, int], paramiko.Channel]


"""How to get from another server to a host and port."""


class Transport(paramiko.Transport):
    """paramiko's, with the kinds of host keys that the configuration and the lists of known hosts ask for."""

    # the same exchange under the name that it has by now (RFC 8731); some servers know no other
    _kex_info: ClassVar = {**paramiko.Transport._kex_info, "curve25519-sha256": KexCurve25519}  # type: ignore[attr-defined]
    _preferred_kex: ClassVar = ("curve25519-sha256", *paramiko.Transport._preferred_kex)  # type: ignore[attr-defined]
    key_algorithms: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        return self.key_algorithms

    @property
    def preferred_pubkeys(self) -> tuple[str, ...]:
        return self.signatures


ABLE = tuple(Transport._key_info)  # type: ignore[attr-defined]


@dataclass
class Line:
    """A transport that is logged in, and the program that carries it, if one does (ProxyCommand)."""

    transport: Transport
    program: Program | None

    @property
    def host_key(self) -> bytes:
        """The key that the server has shown, or the certificate of it."""
        return shown(self.transport)

    def close(self) -> None:
        self.transport.close()
        if self.program:
            self.program.end()


class Dropped(ConnectionFailed):
    """A server closes a connection at once."""


def opened(address: Address, reach: Reach | None, seconds: float) -> Line:
    """Raise ConnectionFailed where that server is not reached, is another, or lets nobody in."""
    seconds = address.seconds or seconds
    until = time.monotonic() + seconds
    while True:
        try:
            return _opened(address, reach, seconds)
        except Dropped:
            # sshd drops some at random while many come at once (MaxStartups)
            if time.monotonic() > until:
                raise
            time.sleep(DROPPED_SECONDS)


def _opened(address: Address, reach: Reach | None, seconds: float) -> Line:
    program = Program(address.proxy) if address.proxy and reach is None else None
    carrier = program.socket if program else _socket(address, reach, seconds)
    transport = Transport(carrier, default_window_size=WINDOW)
    line, began = Line(transport, program), time.monotonic()
    try:
        transport.key_algorithms = hostkeys.algorithms(address, ABLE)
        transport.signatures = tuple(name for name in address.signatures if name in ABLE)
        transport.use_compression(address.compressed)
        transport.banner_timeout = seconds
        transport.start_client(timeout=seconds)
        hostkeys.refuse_stranger(address, line.host_key)
        login.log_in(transport, address)
        transport.set_keepalive(address.alive[0] if address.alive else KEEPALIVE_SECONDS)
    except paramiko.ssh_exception.IncompatiblePeer as error:
        line.close()
        raise _no_common(address, transport, error) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        said = str(error) + (program.said() if program else "")
        line.close()
        if not transport.remote_version and time.monotonic() - began < seconds and not program:
            raise _dropped(address) from error
        raise ConnectionFailed(f"{_where(address)}: {said or 'no SSH answer'}") from error
    except BaseException:
        line.close()
        raise
    return line


def shown(transport: paramiko.Transport) -> bytes:
    key = transport.get_remote_server_key()
    certificate = getattr(key, "public_blob", None)
    return bytes(certificate.key_blob if certificate else key.asbytes())


def _socket(address: Address, reach: Reach | None, seconds: float) -> socket.socket | paramiko.Channel:
    if reach is not None:
        try:
            return reach.open(address.hostname, address.port)
        except ConnectionFailed as error:
            raise ConnectionFailed(f"{address.name} is reached through {reach.through}: {error}") from error
    where = f"{address.name} ({address.hostname} port {address.port})"
    try:
        connected = _connected(address, seconds)
        silent = address.alive[0] * address.alive[1] if address.alive else 0
        _give_up_after(connected, max(SILENT_SECONDS, silent))
        # or each of the small messages of an exchange waits for the answer to the one before, 40 ms on Linux
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected
    except socket.gaierror as error:
        raise ConnectionFailed(
            f"{address.name}: the name {address.hostname} does not resolve: {error}"
        ) from error
    except TimeoutError as error:
        raise ConnectionFailed(f"{where}: no answer within {seconds:.0f} s") from error
    except OSError as error:
        raise ConnectionFailed(f"{where}: {error.strerror or error}") from error


def _give_up_after(connected: socket.socket, seconds: int) -> None:
    """What is sent and not acknowledged for so long ends the connection; each system has its own name for that."""
    linux = getattr(socket, "TCP_USER_TIMEOUT", None)
    if linux is not None:
        connected.setsockopt(socket.IPPROTO_TCP, linux, seconds * 1000)
    elif sys.platform == "darwin":
        connected.setsockopt(socket.IPPROTO_TCP, MACOS_RXT_CONNDROPTIME, seconds)


def _connected(address: Address, seconds: float) -> socket.socket:
    """A connection to the first of the host's addresses that answers, of the family that is asked for."""
    places = socket.getaddrinfo(address.hostname, address.port, address.family, socket.SOCK_STREAM)
    for number, (family, kind, protocol, _, place) in enumerate(places, 1):
        tried = socket.socket(family, kind, protocol)
        try:
            tried.settimeout(seconds)
            if address.bind:
                tried.bind((address.bind, 0))
            tried.connect(place)
            return tried
        except OSError:
            tried.close()
            if number == len(places):
                raise
    raise OSError(f"{address.hostname} has no address")


class Program:
    """A program that carries a connection, run by the user's shell as ssh runs it."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.socket, theirs = socket.socketpair()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the program runs
        with theirs:
            # what interrupts a cell does not end the connection
            self._process = subprocess.Popen(
                [os.environ.get("SHELL", "/bin/sh"), "-c", f"exec {line}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._errors,
                start_new_session=True,
            )

    def said(self) -> str:
        """What it has printed as errors, beneath its name."""
        self._errors.seek(0)
        lines = self._errors.read()[-1000:].decode(errors="replace").splitlines()[-5:]
        return f"\n  $ {self.line}   (ProxyCommand)" + "".join(f"\n  | {line}" for line in lines)

    def end(self) -> None:
        self.socket.close()
        self._process.terminate()
        self._process.wait()
        self._errors.close()


def _dropped(address: Address) -> Dropped:
    return Dropped(
        f"{_where(address)}: the connection is closed before it begins\n"
        "  → see in that server's log who closes it: MaxStartups or PerSourcePenalties of sshd, fail2ban, "
        "/etc/hosts.deny"
    )


def _no_common(address: Address, transport: Transport, error: Exception) -> ConnectionFailed:
    options = transport.get_security_options()
    mine = {
        "KexAlgorithms": options.kex,
        "HostKeyAlgorithms": transport.key_algorithms,
        "Ciphers": options.ciphers,
        "MACs": options.digests,
    }
    told = "".join(
        f"\n  {setting} of this side: {', '.join(names) or 'none'}" for setting, names in mine.items()
    )
    return ConnectionFailed(
        f"{_where(address)}: {error}{told}\n"
        "  → allow one of each in that server's sshd_config; HostKeyAlgorithms also in ssh's configuration here"
    )


def _where(address: Address) -> str:
    return f"{address.name} ({address.hostname})"
