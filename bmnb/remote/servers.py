"""The servers of a run: one kept connection each, commands, units that outlive it, and the API."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from paramiko import Channel

from bmnb.errors import ActionFailed, BmnbError, ConnectionFailed, InputError
from bmnb.redact import Secret
from bmnb.remote import http, locks, units
from bmnb.remote.config import Address, Config
from bmnb.remote.connection import KEEP, Connection, Forbidden, Identity, NoBash, NotBegun
from bmnb.remote.relay import relay
from bmnb.remote.through import by_session
from bmnb.remote.transport import Reach
from bmnb.remote.units import Look, UnitState
from bmnb.steps import Result

API_PORT = 8090
DEAD_SECONDS = 30.0
GLANCE_SECONDS = 4.0
NO_BASH_SECONDS = 60.0
"""A server that is about to restart begins no bash either; what else keeps it from that does not heal by waiting."""
RUN_SECONDS = 3600.0
IDENTITY = """cat /etc/machine-id /proc/sys/kernel/random/boot_id /proc/sys/kernel/hostname
. /etc/os-release; echo $PRETTY_NAME
uname -sr; for tool in bash rsync psql python3 tar systemctl; do
  if command -v $tool > /dev/null; then $tool --version 2> /dev/null | head -n 1; fi
done"""


class Waiting:
    """For how long a server is lost, or lets in and begins no bash, in one go."""

    def __init__(self, patience: float) -> None:
        self.patience, self.since = patience, dict[bool, float]()

    def over(self, lost: ConnectionFailed) -> bool:
        """Whether it is given up after this; else a moment has passed."""
        refused, now = isinstance(lost, NoBash), time.monotonic()
        if now - self.since.setdefault(refused, now) >= min(
            self.patience, NO_BASH_SECONDS if refused else self.patience
        ):
            return True
        time.sleep(1.0)
        return False


class Servers:
    """Servers by their ssh names. A connection that broke is made anew before the next command only."""

    def __init__(self, ssh_config: Path | None = None, work: str = "/var/lib/bmnb") -> None:
        self._config, self._work = Config(ssh_config), work
        self._connections: dict[str, Connection] = {}
        self._pinned: dict[str, str] = {}
        self._moved: dict[str, tuple[str, str]] = {}
        self._hops: list[Connection] = []
        self._carriers: list[Connection] = []
        self._opening = threading.RLock()

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        for connection in (*self._connections.values(), *self._carriers, *reversed(self._hops)):
            connection.close()
        self._connections.clear()
        self._carriers.clear()
        self._hops.clear()

    def run(
        self,
        host: str,
        line: str,
        *,
        stdin: str = "",
        timeout: float | None = RUN_SECONDS,
    ) -> Result:
        """Run a line and wait for its end. `timeout` is in seconds without output."""
        try:
            return self._connection(host).run(line, stdin, timeout)
        except NotBegun:  # the connection had broken before, and nobody knew
            return self._connection(host).run(line, stdin, timeout)

    def run_at(self, host: str, hostname: str, line: str, via: str = "") -> Result:
        """Run a line where the server is contacted at another address, for this once; it must be the same machine.

        `via` is the server that it is reached through.
        """
        connection = self._open(host, hostname, via)
        try:
            return connection.run(line, "", RUN_SECONDS)
        finally:
            connection.close()

    def ask(self, host: str, line: str, *, patience: float = 600.0) -> Result:
        """Run a line that changes nothing; again where the connection breaks meanwhile.

        Not for checks: that of a test account sends a message. All lines to a server share a connection: where one
        of them is not answered, it ends for the others too.
        Raise ConnectionFailed when the server is out of reach, or gets so for `patience` seconds.
        """
        self._connection(host)  # out of reach it is asked once
        waiting = Waiting(patience)
        while True:
            try:
                return self.run(host, line)
            except ConnectionFailed as lost:
                if waiting.over(lost):
                    raise

    def connect(self, host: str) -> None:
        """Have a connection. Raise ConnectionFailed where there is none."""
        self._connection(host)

    def connected(self, host: str) -> bool:
        """Whether there is a connection to the server now."""
        connection = self._connections.get(host)
        return connection is not None and connection.alive

    def identity(self, host: str) -> Identity:
        return _identity(self._connection(host))

    def pin(self, host: str, machine_id: str) -> None:
        """From now on the name must lead to this machine; each new connection is compared."""
        self._pinned[host] = machine_id

    def reach(self, host: str, hostname: str, via: str = "") -> None:
        """Contact the server at another address from now on; it must show the host key that it had.

        Its own name as `hostname` means the usual address. `via` is the server that it is reached through.
        """
        if hostname == host:
            self._moved.pop(host, None)
        else:
            self._moved[host] = hostname, via
        with self._opening:
            if connection := self._connections.pop(host, None):
                connection.close()

    def feed(self, source: str, line: str, host: str, unit: str) -> str:
        """Keep what a line prints on another server as the input of a unit; return its path there."""
        path = f"{self._work}/feeds/{unit}"
        into = f"umask 077; mkdir -p {self._work}/feeds && cat > {path}"
        relay(self._connection(source), line, self._connection(host), into)
        return path

    def start(self, host: str, unit: str, line: str, *, patience: float = 600.0, head: str = "") -> None:
        """Start a line in a unit of its own; where the connection breaks meanwhile, see to it that it is started.

        `head` is what the server keeps to tell which copy of the run's journal has gone on: see `locks.take`.
        Raise ActionFailed where it was started before, ConnectionFailed when the server is out of reach, or gets so
        for `patience` seconds.
        """
        self._connection(host)  # out of reach it is asked once
        waiting = Waiting(patience)
        while True:
            try:
                if waiting.since and self.state(host, unit) is not UnitState.ABSENT:
                    return
                started = self.run(host, units.start(self._work, unit, head), stdin=line)
                break
            except ConnectionFailed as lost:
                if waiting.over(lost):
                    raise
        if not started.ok:
            raise ActionFailed(f"unit {unit} cannot be started on {host}: {started.stderr.strip()}")

    def state(self, host: str, unit: str) -> UnitState:
        found = self.ask(host, units.state(self._work, unit))
        return UnitState(found.stdout.strip())

    def follow(
        self,
        host: str,
        unit: str,
        *,
        on_look: Callable[[Look], None] | None = None,
        patience: float = 600.0,
    ) -> Result | None:
        """Wait for a unit's end, also over lost connections; None where it was lost, and nothing tells why.

        `on_look` gets what was seen every few seconds; what it raises ends the waiting, not the unit, but for a
        connection that is lost meanwhile.
        Raise ConnectionFailed when the server is out of reach for `patience` seconds.
        """
        waiting = Waiting(patience)
        while True:
            try:
                found = self._look(host, unit, DEAD_SECONDS)
                waiting = Waiting(patience)
                if on_look:
                    on_look(found)
            except ConnectionFailed as lost:
                if waiting.over(lost):
                    raise
                continue
            if found.state is not UnitState.RUNNING:
                return found.result

    def glance(self, host: str, unit: str) -> Result | None:
        """How a unit ended, if it ends within seconds and the server still tells; else None."""
        try:
            return self._look(host, unit, GLANCE_SECONDS).result
        except ConnectionFailed:
            return None

    def stop(self, host: str, unit: str) -> None:
        """End a unit with all its processes."""
        stopped = self.run(host, units.stop(self._work, unit))
        if not stopped.ok:
            raise ActionFailed(f"unit {unit} does not end on {host}: {stopped.stderr.strip()}")

    def take(
        self,
        host: str,
        run: str,
        session: str,
        title: str,
        gone: str,
        folder: str,
        new: bool,
        trace: str = "",
    ) -> Result:
        """Take the server's lock, or show who holds it: see `locks.take`. To take it twice is to take it once."""
        return self.ask(host, locks.take(self._work, run, session, title, gone, folder, new, trace))

    def beat(self, host: str, session: str) -> Result:
        """A sign of life in the server's lock."""
        return self.run(host, locks.beat(self._work, session), timeout=DEAD_SECONDS)

    def leave(self, host: str, session: str) -> Result:
        """Keep the server's lock for the run, and let any session of it go on."""
        return self.run(host, locks.leave(self._work, session))

    def release(self, host: str, session: str, run: str) -> Result:
        """Give the server's lock back: see `locks.release`."""
        return self.run(host, locks.release(self._work, session, run))

    def unlock(self, host: str) -> str:
        """Break the server's lock, whoever holds it; return what it said."""
        return self.run(host, locks.unlock(self._work)).stdout

    def api(
        self, host: str, method: str, path: str, *, body: object = None, token: Secret, port: int = API_PORT
    ) -> Any:
        """A request to the core's loopback port; return the JSON of its answer."""
        try:
            return http.request(self._connection(host), port, method, path, body, token)
        except NotBegun:
            return http.request(self._connection(host), port, method, path, body, token)

    def _look(self, host: str, unit: str, timeout: float) -> Look:
        return units.seen(unit, self.run(host, units.look(self._work, unit, KEEP), timeout=timeout))

    def _connection(self, name: str) -> Connection:
        with self._opening:
            connection = self._connections.get(name)
            if connection is None or not connection.alive:
                connection = self._open(name)
                self._connections[name] = connection
            return connection

    def _open(self, name: str, elsewhere: str = "", via: str = "") -> Connection:
        if elsewhere:
            return self._open_at(name, elsewhere, via)
        hostname, hop = self._moved.get(name, ("", ""))
        try:
            return self._open_at(name, hostname, hop)
        except ConnectionFailed as out_of_reach:
            # what it was given beside its own addresses is gone with a restart of either server
            if not hop or name not in self._pinned:
                raise
            try:
                return self._open_at(name)
            except BmnbError:
                raise out_of_reach from None

    def _open_at(self, name: str, hostname: str = "", hop: str = "") -> Connection:
        """By its usual address where no other one is given. Raise ConnectionFailed where another machine answers."""
        address = self._config.find(name, hostname)
        if hop:
            connection = Connection(replace(address, proxy=""), self._beyond(hop))
        else:
            way = self._way(address)
            connection = Connection(address, way.reach if way else None)
        try:
            if address.user != "root":
                # a feed, which cannot be begun twice, finds the shell that sudo lets begin
                connection.run("true", "", 30.0)
            self._compare(name, connection)
        except ConnectionFailed:
            connection.close()
            raise
        return connection

    def _beyond(self, hop: str) -> Reach:
        """The ports that a server reaches, whatever its sshd forbids."""

        def stream(host: str, port: int) -> Channel:
            self._end_idle()
            try:
                return self._connection(hop).channel_to(host, port)
            except Forbidden:
                # by a connection of its own, since MaxSessions may allow but one session on each
                carrier = self._open(hop)
                self._carriers.append(carrier)
                return by_session(carrier, host, port)

        return Reach(hop, stream)

    def _end_idle(self) -> None:
        """Those that carried a connection which has ended."""
        idle = [one for one in self._carriers if one.idle]
        self._carriers = [one for one in self._carriers if one not in idle]
        for one in idle:
            one.close()

    def _way(self, address: Address, before: tuple[str, ...] = ()) -> Connection | None:
        """The last of the jump hosts; the first one is reached by what the configuration says of it, as with ssh."""
        via: Connection | None = None
        for hop in address.jump:
            there = self._config.find(hop)
            if there.name in before:
                raise InputError(
                    f"{there.name} is reached through itself: ProxyJump in {self._config.path}\n"
                    f"  → ProxyJump none for Host {there.name}"
                )
            way = via or self._way(there, (*before, there.name))
            via = Connection(there, way.reach if way else None)
            self._hops.append(via)
        return via

    def _compare(self, name: str, connection: Connection) -> None:
        wanted = self._pinned.get(name)
        if wanted is None:
            return
        found = _identity(connection).machine_id
        if found != wanted:
            raise ConnectionFailed(
                f"{name} leads to another machine than before: machine-id {found}, expected {wanted}\n"
                "  → nothing was done there; see that the name and the address lead to the right server"
            )


FORMS = {
    "machine-id": r"[0-9a-f]{32}",
    "boot-id": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "host name": r"[!-~]+",
    "name of the system": r".*",
}
"""What a server tells of itself, line by line."""


def _identity(connection: Connection) -> Identity:
    told = connection.run(IDENTITY, "", 30.0)
    if not told.ok:
        raise ConnectionFailed(f"{told.host}: who it is cannot be read: {told.stderr.strip()}")
    lines = told.stdout.splitlines()
    for number, (what, form) in enumerate(FORMS.items()):
        said = lines[number] if number < len(lines) else ""
        if not re.fullmatch(form, said):
            raise ConnectionFailed(f"{told.host}: who it is cannot be read: {said[:80]!r} is no {what}")
    machine, boot, hostname, system, *tools = lines
    return Identity(machine, boot, hostname, system, connection.host_key, tuple(tools))
