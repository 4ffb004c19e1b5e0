"""Plain HTTP to a port of a server's loopback interface, through its SSH connection."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import urllib3
from paramiko import Channel
from urllib3.connection import HTTPConnection

from bmnb.errors import ActionFailed, ConnectionFailed
from bmnb.redact import Secret
from bmnb.remote.connection import CONNECT_SECONDS, Connection, Forbidden, NotBegun

TIMEOUT_SECONDS = 300.0
"""Saving the configuration runs its hooks before it answers, which takes tens of seconds."""


def request(connection: Connection, port: int, method: str, path: str, body: object, token: Secret) -> Any:
    """Return the answer's JSON, None where it is empty. Raise ActionFailed for anything but 2xx."""
    told = None if body is None else json.dumps(body)
    headers = {
        "X-BM-ApiKey": token.reveal(),
        "Content-Type": "application/json",
        "Accept": "application/json",
    }
    what = f"{method} {path} on {connection.address.name}"
    try:
        status, text = _through_the_connection(connection, port, method, path, told, headers)
    except Forbidden:
        status, text = _by_curl(connection, port, method, path, told, headers)
    except NotBegun:
        raise
    except (ConnectionFailed, urllib3.exceptions.HTTPError, OSError) as error:
        if isinstance(error, ConnectionFailed) and not connection.alive:
            raise
        raise ActionFailed(f"{what}: {error}") from error
    if not 200 <= status < 300:
        raise ActionFailed(f"{what}: HTTP {status} {_fault(text)}".rstrip())
    try:
        return json.loads(text) if text.strip() else None
    except json.JSONDecodeError as error:
        raise ActionFailed(f"{what}: the answer is not JSON: {text[:200]}") from error


def _through_the_connection(
    connection: Connection, port: int, method: str, path: str, body: str | None, headers: dict[str, str]
) -> tuple[int, str]:
    channel = connection.channel_to("127.0.0.1", port)
    channel.settimeout(TIMEOUT_SECONDS)

    class Through(HTTPConnection):
        def connect(self) -> None:
            self.sock = Stream(channel)

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = Through

    with closing(channel), Pool("127.0.0.1", port, maxsize=1, retries=False) as pool:
        answer = pool.request(method, path, body=body, headers=headers, redirect=False)
    return answer.status, answer.data.decode(errors="replace")


CURL = f"curl -q -sS --noproxy '*' --max-time {TIMEOUT_SECONDS:.0f} -w '\\n%{{http_code}}' -K -"
"""What to ask, the token with it, comes as input."""


def _by_curl(
    connection: Connection, port: int, method: str, path: str, body: str | None, headers: dict[str, str]
) -> tuple[int, str]:
    """The same where sshd lets nobody through to a port (AllowTcpForwarding no)."""
    asked = [("request", method), ("url", f"http://127.0.0.1:{port}{path}")]
    asked += [("header", f"{name}: {value}") for name, value in headers.items()]
    asked += [] if body is None else [("data-binary", body)]
    lines = "".join(f"{key} = {_quoted(value)}\n" for key, value in asked)
    done = connection.run(CURL, lines, TIMEOUT_SECONDS + CONNECT_SECONDS)
    text, _, status = done.stdout.rpartition("\n")
    if done.exit:
        said = done.stderr.strip() or f"exit status {done.exit}"
        raise ActionFailed(
            f"{method} {path} on {connection.address.name}: {said}\n"
            "  asked by curl there, since AllowTcpForwarding or PermitOpen of its sshd lets nobody through"
        )
    return int(status), text


def _quoted(value: str) -> str:
    """A value in a file of curl's options."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Stream:
    """A channel as http.client uses a socket, which it closes before the answer is read to its end."""

    def __init__(self, channel: Channel) -> None:
        self.sendall, self.makefile, self.settimeout = channel.sendall, channel.makefile, channel.settimeout

    def close(self) -> None:
        """Leave the channel open: `request` closes it when the answer is there."""


def _fault(text: str) -> str:
    """BlueMind tells faults in JSON; the code counts more than the HTTP status."""
    try:
        fault = json.loads(text)
    except json.JSONDecodeError:
        return text[:200]
    if not isinstance(fault, dict):
        return text[:200]
    return f"{fault.get('errorCode', '')} {fault.get('message', '')}"
