"""What a line prints on one server, as the input of a line on another, of any size."""

from __future__ import annotations

import paramiko

from bmnb.errors import ActionFailed, ConnectionFailed
from bmnb.remote.connection import BEGIN, Connection, Tail, begun, script

BLOCK = 64 << 10


def relay(source: Connection, line: str, sink: Connection, into: str) -> None:
    """Raise ActionFailed where either line fails, ConnectionFailed where a connection is lost."""
    try:
        with source.shell() as giving, sink.shell() as taking:
            giving.sendall(begun(script(line)).encode())
            giving.shutdown_write()
            # bash reads its input no further than to the end of a group that it is to do
            taking.set_combine_stderr(True)
            taking.sendall(begun(f"{{\n{into}\nexit $?\n}}\n").encode())
            before = Tail()
            while not before.begun and (block := giving.recv(BLOCK)):
                before.add(block)
            if not before.begun:
                raise source.no_bash(before.text)
            taking.sendall(before.data)
            while block := giving.recv(BLOCK):
                taking.sendall(block)
            given = giving.recv_exit_status()
            taking.shutdown_write()
            said = taking.makefile().read().rpartition(BEGIN)[2].decode(errors="replace").strip()
            taken = taking.recv_exit_status()
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise ConnectionFailed(f"the connection was lost during: {line}\n  {error}") from error
    if given or taken:
        where = f"{source.address.name} to {sink.address.name}"
        raise ActionFailed(f"{where}: exit status {given} and {taken}: {said}\n  $ {line}\n  $ {into}")
