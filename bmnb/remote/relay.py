"""What a line prints on one server, as the input of a line on another, of any size."""

from __future__ import annotations

import paramiko

from bmnb.errors import ActionFailed, ConnectionFailed
from bmnb.remote.connection import Connection, script

BLOCK = 64 << 10


def relay(source: Connection, line: str, sink: Connection, into: str) -> None:
    """Raise ActionFailed where either line fails, ConnectionFailed where a connection is lost."""
    try:
        with source.shell() as giving, sink.shell() as taking:
            giving.sendall(script(line).encode())
            giving.shutdown_write()
            # bash reads its input no further than to the end of a group that it is to do
            taking.set_combine_stderr(True)
            taking.sendall(f"{{\n{into}\nexit $?\n}}\n".encode())
            while block := giving.recv(BLOCK):
                taking.sendall(block)
            given = giving.recv_exit_status()
            taking.shutdown_write()
            said = taking.makefile().read().decode(errors="replace").strip()
            taken = taking.recv_exit_status()
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise ConnectionFailed(f"the connection was lost during: {line}\n  {error}") from error
    if given or taken:
        where = f"{source.address.name} to {sink.address.name}"
        raise ActionFailed(f"{where}: exit status {given} and {taken}: {said}\n  $ {line}\n  $ {into}")
