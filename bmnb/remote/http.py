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
from bmnb.remote.connection import Connection

TIMEOUT_SECONDS = 300.0
"""Saving the configuration runs its hooks before it answers, which takes tens of seconds."""


def request(connection: Connection, port: int, method: str, path: str, body: object, token: Secret) -> Any:
    """Return the answer's JSON, None where it is empty. Raise ActionFailed for anything but 2xx."""

    try:
        channel = connection.channel_to("127.0.0.1", port)
    except ConnectionFailed as error:
        if not connection.alive:
            raise
        raise ActionFailed(f"{method} {path}: {error}") from error
    channel.settimeout(TIMEOUT_SECONDS)

    class Through(HTTPConnection):
        def connect(self) -> None:
            self.sock = Stream(channel)

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = Through

    host = connection.address.name
    with closing(channel), Pool("127.0.0.1", port, maxsize=1, retries=False) as pool:
        try:
            answer = pool.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={
                    "X-BM-ApiKey": token.reveal(),
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                },
                redirect=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ActionFailed(f"{method} {path} on {host}: {error}") from error
    text = answer.data.decode(errors="replace")
    if not 200 <= answer.status < 300:
        raise ActionFailed(f"{method} {path} on {host}: HTTP {answer.status} {_fault(text)}".rstrip())
    try:
        return json.loads(text) if text.strip() else None
    except json.JSONDecodeError as error:
        raise ActionFailed(f"{method} {path} on {host}: the answer is not JSON: {text[:200]}") from error


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
