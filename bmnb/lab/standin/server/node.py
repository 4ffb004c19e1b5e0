"""A stand-in of BlueMind's node, through which the core reaches each server of a platform. It is not BlueMind."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from .here import Fault, redhat, software

PORT = 8022
FILES = (Path("/etc/yum.repos.d/bm.repo"), Path("/etc/apt/sources.list.d/bm.list"))


def repository_file() -> Path:
    return FILES[0] if redhat() else FILES[1]


def repository() -> str:
    """The text of the repository's file, in which the subscription lies."""
    return repository_file().read_text() if repository_file().exists() else ""


class Node(BaseHTTPRequestHandler):
    """Tells the server's version, and points its repository to another one."""

    def do_GET(self) -> None:
        self._send(software("bm-node"))

    def do_PUT(self) -> None:
        version = self.path.rpartition("/")[2]
        text = re.sub(r"(://\S+/)[0-9.]+(?= \./$|$)", rf"\g<1>{version}", repository(), flags=re.MULTILINE)
        repository_file().write_text(text)
        self._send(version)

    def _send(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *words: Any) -> None:
        """Requests are not logged."""


def ask(method: str, ip: str, path: str) -> str:
    """What the node of a server answers."""
    request = urllib.request.Request(f"http://{ip}:{PORT}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.URLError as error:
        raise Fault("UNKNOWN", f"node {ip} does not answer: {error.reason}") from error
