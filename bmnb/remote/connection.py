"""One SSH connection to a server: made, checked, and used for commands."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from shlex import quote
from weakref import WeakSet

import paramiko

from bmnb.errors import ConnectionFailed
from bmnb.remote import hostkeys, transport
from bmnb.remote.config import Address
from bmnb.steps import Result

CONNECT_SECONDS = 15.0
CHANNELS = 8  # sshd allows 10 sessions on a connection (MaxSessions)
REFUSED_SECONDS, WAIT_SECONDS = 0.02, 0.5
"""How soon a session that was refused is asked for again: at first, and at most."""
LAST_LINES = 5
KEEP = 4 << 20
"""Bytes of each output that are kept: the last ones."""

logger = logging.getLogger(__name__)
# what goes wrong comes as an exception; without a handler Python prints it as well
logging.getLogger("paramiko").addHandler(logging.NullHandler())

ADMINISTRATIVELY_PROHIBITED = 1
"""The code of a refusal by RFC 4254, 5.1."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHELL = f'env -i LC_ALL=C.UTF-8 HOME=/root PATH={PATH} SSH_CONNECTION="$SSH_CONNECTION" bash -o pipefail -s'
"""Nothing of what PAM and login shells set gets into what is done: a proxy, BASH_ENV, options of tar, PGHOST ...

sshd tells by SSH_CONNECTION at which address the server was contacted."""


def shell(user: str) -> str:
    """The shell that reads a line; a user who is not root needs sudo without a password."""
    return SHELL if user == "root" else f"sudo -n -H {SHELL}"


def shell_of_terminal(user: str) -> str:
    """The same where sudo wants a terminal (requiretty): `script` gives it one, and bash keeps its own channels."""
    within = f"exec {shell(user)} <&3 >&4 2>&5"
    return "sh -c " + quote(
        f"SHELL=/bin/sh exec script -qec {quote(within)} /dev/null 3<&0 4>&1 5>&2 < /dev/null > /dev/null"
    )


class NotBegun(ConnectionFailed):
    """The connection was gone already when something was to be begun on it."""


class NoBash(ConnectionFailed):
    """The server lets in and begins no bash, so that nothing is done: sudo wants a password, for instance."""


class Forbidden(ConnectionFailed):
    """sshd lets nobody through to a port."""


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

    def __init__(self, address: Address, reach: transport.Reach | None = None) -> None:
        self.address = address
        self._shell = shell(address.user)
        self._places = threading.BoundedSemaphore(CHANNELS)
        self._sessions = WeakSet[paramiko.Channel]()
        self._opening = threading.Lock()
        self._line = transport.opened(address, reach, CONNECT_SECONDS)
        self._transport = self._line.transport
        where = f"{address.user}@{address.hostname} port {address.port}"
        logger.info("%s: connected as %s, host key %s", address.name, where, self.host_key)

    @property
    def alive(self) -> bool:
        return self._transport.is_active()

    @property
    def host_key(self) -> str:
        return hostkeys.fingerprint(self._line.host_key)

    @property
    def idle(self) -> bool:
        return all(one.closed for one in self._sessions)

    def close(self) -> None:
        logger.debug("%s: closing", self.address.name)
        self._line.close()

    @property
    def reach(self) -> transport.Reach:
        """To be given to the connections that go through this one."""
        return transport.Reach(self.address.name, self.channel_to)

    def channel_to(self, host: str, port: int) -> paramiko.Channel:
        """A stream to a port as seen from the server."""
        unreachable = f"{self.address.name}: cannot reach {host}:{port} from there"
        try:
            return self._channel(
                lambda: self._transport.open_channel(
                    "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=CONNECT_SECONDS
                ),
                unreachable,
            )
        except paramiko.ChannelException as error:
            if error.code == ADMINISTRATIVELY_PROHIBITED:
                raise Forbidden(
                    f"{unreachable}: its sshd forbids it by AllowTcpForwarding, PermitOpen or DisableForwarding\n"
                    f"  → allow it in /etc/ssh/sshd_config of {self.address.name} for {self.address.user}"
                ) from error
            raise ConnectionFailed(f"{unreachable}: {error}") from error

    def shell(self, within: float = CONNECT_SECONDS) -> paramiko.Channel:
        """A bash on the server that does what it reads."""
        channel = self._session(within)
        channel.exec_command(self._shell)
        return channel

    def _session(self, within: float) -> paramiko.Channel:
        """sshd refuses a session, with nothing begun, while those before it are not cleared away there.

        Where it allows few (MaxSessions), the end of those is waited for.
        """
        until, pause = time.monotonic() + within, REFUSED_SECONDS
        while True:
            try:
                channel = self._channel(
                    lambda: self._transport.open_session(window_size=transport.WINDOW, timeout=within),
                    f"{self.address.name}: no session",
                )
            except paramiko.ChannelException as error:
                if any(not one.closed for one in self._sessions):
                    until = time.monotonic() + within
                if time.monotonic() > until:
                    raise ConnectionFailed(
                        f"{self.address.name}: its sshd opens no session for {self.address.user}: {error}\n"
                        "  → see MaxSessions in its sshd_config: 1 is enough, 0 allows no command at all"
                    ) from error
                time.sleep(pause)
                pause = min(1.5 * pause, WAIT_SECONDS)
            else:
                self._sessions.add(channel)
                return channel

    def _channel(self, begin: Callable[[], paramiko.Channel], failure: str) -> paramiko.Channel:
        """Open a channel. Raise ChannelException where sshd refuses it, NotBegun where the connection is gone.

        `failure` is what to say where sshd does not answer.

        One at a time: paramiko has one place for the reason of a refusal, so that of two threads that are refused
        at once one is told the other's, and the other "Unable to open channel".
        """
        with self._opening:
            try:
                return begin()
            except paramiko.ChannelException:
                raise
            except (paramiko.SSHException, EOFError, OSError) as error:
                if self.alive:
                    raise ConnectionFailed(f"{failure}: {error}") from error
                raise NotBegun(f"{self.address.name}: the connection was lost before: {error}") from error

    def run(self, line: str, stdin: str, timeout: float | None) -> Result:
        """Run a line with bash, which reads it from its input: it stands in no list of arguments."""
        with self._places:
            began = time.monotonic()
            logger.debug("%s: $ %s", self.address.name, line)
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
            if out.begun:
                ended = time.monotonic() - began
                logger.debug("%s: exit status %d after %.2f s", self.address.name, status, ended)
                return Result(self.address.name, line, status, out.text, err.text, ended)
        said = out.text + err.text
        if "tty" not in said or self._shell == shell_of_terminal(self.address.user):
            raise self.no_bash(said)
        self._shell = shell_of_terminal(self.address.user)
        return self.run(line, stdin, timeout)

    def no_bash(self, said: str) -> NoBash:
        """What is raised where nothing of a line was done."""
        lines = "".join(f"\n  | {one}" for one in said.strip().splitlines()[-LAST_LINES:])
        return NoBash(
            f"{self.address.name}: bash is not begun there for {self.address.user}{lines}\n"
            "  → log in as root, or as a user who may sudo without a password; see that bash is installed, "
            "and that nothing ends or replaces it: a start-up file of the login shell, ForceCommand in sshd_config, "
            "command= in authorized_keys"
        )


BEGIN = b"BMNB-OUTPUT-BEGINS-HERE\n"
"""What bash prints first on both outputs: what stands before it is a login shell's, a greeting for instance."""


def begun(text: str) -> str:
    """The text with which bash begins. Another shell, which a start-up file put in bash's place, does nothing of it.

    Bash itself keeps a long input in memory there, where there is room when /tmp is full, and not on a disk.
    """
    mark = BEGIN.decode().strip()
    return f'[ -n "$BASH_VERSION" ] || exit 96\nTMPDIR=/run\necho {mark}; echo {mark} >&2\n{text}'


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
