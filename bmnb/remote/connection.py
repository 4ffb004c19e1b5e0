"""One SSH connection to a server: made, checked, and used for commands."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import paramiko

from bmnb.errors import ConnectionFailed
from bmnb.remote import hostkeys, keys
from bmnb.remote.config import Address
from bmnb.steps import Result

CONNECT_SECONDS = 15.0
KEEPALIVE_SECONDS = 15
SILENT_SECONDS = 120
"""How long a line may be dead until the connection is given up. TCP tries again at growing intervals: after a
cut of a minute data may flow as late as this."""
CHANNELS = 8  # sshd allows 10 sessions on a connection (MaxSessions)
REFUSED_SECONDS = 0.02
WINDOW = 8 << 20
LAST_LINES = 5
KEEP = 4 << 20
"""Bytes of each output that are kept: the last ones."""

# what goes wrong comes as an exception; without a handler Python prints it as well
logging.getLogger("paramiko").addHandler(logging.NullHandler())

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHELL = f"env -i LC_ALL=C.UTF-8 HOME=/root PATH={PATH} bash -o pipefail -s"
"""Nothing of what PAM and login shells set gets into what is done: a proxy, BASH_ENV, options of tar, PGHOST ..."""


def shell(user: str) -> str:
    """The shell that reads a line; a user who is not root needs sudo without a password."""
    return SHELL if user == "root" else f"sudo -n -H {SHELL}"


@dataclass(frozen=True)
class Identity:
    """Which machine a server is: /etc/machine-id, this start's boot-id, its host key's fingerprint.

    `system` is its distribution by /etc/os-release; `tools` are the first lines of what its programs say
    of their versions.
    """

    machine_id: str
    boot_id: str
    hostname: str
    system: str
    host_key: str
    tools: tuple[str, ...] = ()


class Connection:
    """A connection that is open until it breaks or is closed."""

    def __init__(self, address: Address, via: Connection | None = None) -> None:
        self.address = address
        self._places = threading.BoundedSemaphore(CHANNELS)
        self._transport = _open(address, via)

    @property
    def alive(self) -> bool:
        return self._transport.is_active()

    @property
    def host_key(self) -> str:
        return hostkeys.fingerprint(self._transport.get_remote_server_key())

    def close(self) -> None:
        self._transport.close()

    def channel_to(self, host: str, port: int) -> paramiko.Channel:
        """A stream to a port as seen from the server."""
        try:
            return self._transport.open_channel(
                "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=CONNECT_SECONDS
            )
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise ConnectionFailed(
                f"{self.address.name}: cannot reach {host}:{port} from there: {error}"
            ) from error

    def shell(self, within: float = CONNECT_SECONDS) -> paramiko.Channel:
        """A bash on the server that does what it reads."""
        channel = self._session(within)
        channel.exec_command(shell(self.address.user))
        return channel

    def _session(self, within: float) -> paramiko.Channel:
        """sshd refuses a session, with nothing begun, while those before it are not cleared away there."""
        until = time.monotonic() + within
        while True:
            try:
                return self._transport.open_session(window_size=WINDOW, timeout=within)
            except paramiko.SSHException:
                if not self.alive or time.monotonic() > until:
                    raise
                time.sleep(REFUSED_SECONDS)

    def run(self, line: str, stdin: str, timeout: float | None) -> Result:
        """Run a line with bash, which reads it from its input: it stands in no list of arguments."""
        with self._places:
            began = time.monotonic()
            try:
                channel = self.shell(min(CONNECT_SECONDS, timeout or CONNECT_SECONDS))
                threading.Thread(
                    target=_send, args=(channel, begun(script(line, stdin))), daemon=True
                ).start()
                out, err, status = _drain(channel, timeout)
            except (paramiko.SSHException, EOFError, OSError) as error:
                name = self.address.name
                raise ConnectionFailed(
                    f"{name}: the connection was lost during: {line}\n  {error}"
                ) from error
            if status is None:
                self.close()
                raise ConnectionFailed(
                    f"{self.address.name}: no end after {timeout} s or connection lost: {line}"
                )
            if not out.begun:
                raise self.no_bash(out.text + err.text)
            return Result(self.address.name, line, status, out.text, err.text, time.monotonic() - began)

    def no_bash(self, said: str) -> ConnectionFailed:
        """What is raised where nothing of a line was done."""
        lines = "".join(f"\n  | {one}" for one in said.strip().splitlines()[-LAST_LINES:])
        return ConnectionFailed(
            f"{self.address.name}: bash is not begun there for {self.address.user}{lines}\n"
            "  → log in as root, or as a user who may sudo without a password; see that bash is installed, "
            "and that no start-up file of the login shell ends or replaces it"
        )


BEGIN = b"BMNB-OUTPUT-BEGINS-HERE\n"
"""What bash prints first on both outputs: what stands before it is a login shell's, a greeting for instance."""


def begun(text: str) -> str:
    """The text with which bash begins. Another shell, which a start-up file put in bash's place, does nothing of it."""
    mark = BEGIN.decode().strip()
    return f'[ -n "$BASH_VERSION" ] || exit 96\necho {mark}; echo {mark} >&2\n{text}'


END = "BMNB-INPUT-ENDS-HERE"


def script(line: str, stdin: str = "") -> str:
    """The text that bash reads: the line in a subshell, which is read whole before it begins.

    The subshell's input is what was given, else nothing, so that no command eats the text behind it. Of a text that
    a broken connection has cut short bash does nothing: the brace at its end is missing. Whatever
    the line does, bash itself goes on to the end of the text: sshd drops a connection on which the end of an
    input is told of a command that has gone by then.
    """
    if not stdin:
        return f"(\n{line}\n) < /dev/null\n"
    return f"{{\n(\n{line}\n) <<'{END}'\n{stdin.rstrip(chr(10))}\n{END}\n}}\n"


def _open(address: Address, via: Connection | None) -> paramiko.Transport:
    transport = paramiko.Transport(_socket(address, via), default_window_size=WINDOW)
    try:
        types = hostkeys.algorithms(address)
        options = transport.get_security_options()
        options.key_types = sorted(options.key_types, key=lambda kind: _rank(kind, types))
        transport.banner_timeout = transport.auth_timeout = CONNECT_SECONDS
        transport.start_client(timeout=CONNECT_SECONDS)
        hostkeys.refuse_stranger(address, transport.get_remote_server_key())
        _authenticate(transport, address)
        transport.set_keepalive(KEEPALIVE_SECONDS)
    except (paramiko.SSHException, EOFError, OSError) as error:
        transport.close()
        raise ConnectionFailed(f"{address.name} ({address.hostname}): {error or 'no SSH answer'}") from error
    except ConnectionFailed:
        transport.close()
        raise
    return transport


def _rank(kind: str, known: list[str]) -> bool:
    # rsa-sha2-512 and rsa-sha2-256 are signatures of a key of type ssh-rsa
    return ("ssh-rsa" if kind.startswith("rsa-sha2") else kind) not in known


def _socket(address: Address, via: Connection | None) -> socket.socket | paramiko.Channel:
    if via is not None:
        try:
            return via.channel_to(address.hostname, address.port)
        except ConnectionFailed as error:
            raise ConnectionFailed(
                f"{address.name} is reached through {via.address.name}: {error}"
            ) from error
    where = f"{address.name} ({address.hostname} port {address.port})"
    try:
        connected = socket.create_connection((address.hostname, address.port), CONNECT_SECONDS)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_SECONDS * 1000)
        # or each of the small messages of an exchange waits for the answer to the one before, 40 ms on Linux
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected
    except socket.gaierror as error:
        raise ConnectionFailed(
            f"{address.name}: the name {address.hostname} does not resolve: {error}"
        ) from error
    except TimeoutError as error:
        raise ConnectionFailed(f"{where}: no answer within {CONNECT_SECONDS:.0f} s") from error
    except OSError as error:
        raise ConnectionFailed(f"{where}: {error.strerror or error}") from error


def _authenticate(transport: paramiko.Transport, address: Address) -> None:
    tried: list[str] = []
    for name, key in keys.known(address.keys):
        try:
            transport.auth_publickey(address.user, key)
        except paramiko.AuthenticationException:
            tried.append(name)
        else:
            return
    raise ConnectionFailed(
        f"{address.name} ({address.hostname}): {address.user} may not log in; "
        f"keys tried: {', '.join(tried) or 'none'}\n"
        f"  → add one of their .pub to ~{address.user}/.ssh/authorized_keys, or name another IdentityFile"
    )


def _send(channel: paramiko.Channel, text: str) -> None:
    try:
        channel.sendall(text.encode())
        channel.shutdown_write()
    except (EOFError, OSError):
        return  # the connection was lost, or the command ended without reading its input: its exit status tells


def _drain(channel: paramiko.Channel, timeout: float | None) -> tuple[Tail, Tail, int | None]:
    """Read both outputs as they come, so that neither can block the other, until the command ends."""
    out, err = Tail(), Tail()
    reader = threading.Thread(target=_read, args=(channel.recv_stderr, err), daemon=True)
    channel.settimeout(timeout)
    reader.start()
    _read(channel.recv, out)
    reader.join()
    ended = not out.timed_out and channel.status_event.wait(CONNECT_SECONDS)
    status = channel.recv_exit_status() if ended else -1
    channel.close()
    return out, err, status if status >= 0 else None


def _read(receive: Callable[[int], bytes], tail: Tail) -> None:
    try:
        while data := receive(64 << 10):
            tail.add(data)
    except TimeoutError:
        tail.timed_out = True


class Tail:
    """The last KEEP bytes of an output from where it has begun."""

    def __init__(self) -> None:
        self._data, self._dropped, self.timed_out, self.begun = bytearray(), 0, False, False

    def add(self, data: bytes) -> None:
        self._data += data
        if not self.begun and BEGIN in self._data:
            del self._data[: self._data.index(BEGIN) + len(BEGIN)]
            self.begun = True
        if len(self._data) > 2 * KEEP:
            self._dropped += len(self._data) - KEEP
            del self._data[:-KEEP]

    @property
    def data(self) -> bytes:
        return bytes(self._data)

    @property
    def text(self) -> str:
        note = f"[{self._dropped} bytes before this were dropped]\n" if self._dropped else ""
        return note + self._data.decode(errors="backslashreplace")
