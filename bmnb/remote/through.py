"""From one server to a port of another, by a session where sshd forbids the stream that SSH has for that."""

from __future__ import annotations

import paramiko

from bmnb.errors import ConnectionFailed
from bmnb.remote.connection import BEGIN, CONNECT_SECONDS, Connection, begun

# where either side ends, all that is left of the session does
PORT = """{{
exec 3<> /dev/tcp/{host}/{port} 4<&0 || exit
echo {mark}
cat <&3 & cat <&4 >&3 &
wait -n; kill 0
}}
"""


def by_session(connection: Connection, host: str, port: int) -> paramiko.Channel:
    """A stream that takes one of the connection's sessions until it ends.

    Raise ConnectionFailed where nobody answers there.
    """
    channel = connection.shell()
    channel.settimeout(CONNECT_SECONDS)
    try:
        channel.sendall(begun(PORT.format(host=host, port=port, mark=BEGIN.decode().strip())).encode())
        if not _printed(channel):
            raise connection.no_bash(_errors(channel))
        if not _printed(channel):
            raise ConnectionFailed(
                f"{connection.address.name}: cannot reach {host}:{port} from there: {_errors(channel)}"
            )
    except (paramiko.SSHException, OSError) as error:
        channel.close()
        raise ConnectionFailed(
            f"{connection.address.name}: cannot reach {host}:{port} from there: {error or 'no answer'}"
        ) from error
    except ConnectionFailed:
        channel.close()
        raise
    channel.settimeout(None)
    return channel


def _printed(channel: paramiko.Channel) -> bool:
    """Read to the end of the mark, and no further."""
    said = b""
    while not said.endswith(BEGIN):
        byte = channel.recv(1)
        if not byte:
            return False
        said += byte
    return True


def _errors(channel: paramiko.Channel) -> str:
    said = channel.makefile_stderr().read().decode(errors="replace")
    return str(said).rpartition(BEGIN.decode())[2].strip()
