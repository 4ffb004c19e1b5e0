"""A stand-in of BlueMind's core, for rehearsal: the part of its REST API that the procedures use. It is not BlueMind.

Plain HTTP on 8090, on every address: the firewall alone keeps others out.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import daemons, installation, networks, routes, sessions
from .here import TOKEN, Fault, ini, log, variant

PORT = 8090


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            value = self._called(url.path.rstrip("/"), dict(urllib.parse.parse_qsl(url.query)), data)
        except Fault as fault:
            self._send_fault(fault)
            return
        except Exception as error:  # noqa: BLE001  a core answers whatever goes wrong in it
            log("n.b.c.r.RestCallHandler", f"{type(error).__name__}: {error}", "ERROR")
            self._send_fault(Fault("UNKNOWN", f"{type(error).__name__}: {error}"))
            return
        if isinstance(value, Iterator):
            self._stream(value)
        else:
            self._send(200, value)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def _called(self, path: str, query: dict[str, str], data: bytes) -> Any:
        key = self.headers.get("X-BM-ApiKey") or ""
        if path not in routes.ANONYMOUS and not sessions.valid(key):
            raise Fault("PERMISSION_DENIED", "no valid X-BM-ApiKey", 401)
        found = routes.find(self.command, path)
        if found is None:
            raise Fault("NOT_FOUND", f"{self.command} {path} is not in the stand-in", 404)
        work, parts = found
        return work(routes.Request(parts, query, parsed(data), key))

    def _send_fault(self, fault: Fault) -> None:
        told = {"errorCode": fault.code, "errorType": "ServerFault", "message": str(fault)}
        self._send(fault.status, told)

    def _send(self, status: int, value: Any) -> None:
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status if value is not None else 204)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, values: Iterator[Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for value in values:
            chunk = json.dumps(value).encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *words: Any) -> None:
        """Requests are not logged."""


def parsed(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError as error:
        raise Fault("INVALID_PARAMETER", "the body is not JSON", 400) from error


def ready() -> None:
    """Tell systemd (sd_notify) that the core answers."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.connect("\0" + address[1:] if address.startswith("@") else address)
            notify.sendall(b"READY=1")


def main() -> None:
    log("n.b.a.l.BMCore", "Starting BlueMind Application...")
    asked = subprocess.run(["pg_isready", "-q", "-h", "localhost", "-t", "30"], check=False)
    if TOKEN.exists() and asked.returncode:
        sys.exit("PostgreSQL does not answer")
    if TOKEN.exists():
        networks.assert_own(ini()["host"])
    installation.decide()
    server = ThreadingHTTPServer(("", PORT), Api)
    if not variant().cyrus:
        for name in ("imap",) if "bm-lmtpd" in variant().services else ("imap", "lmtp"):
            threading.Thread(target=daemons.serve, args=(name,), name=name, daemon=True).start()
    log("n.b.c.r.h.v.RestNetVerticle", f"Bound to port {PORT}.")
    log("n.b.a.l.BMCore", "BlueMind Application started")
    ready()
    server.serve_forever()


if __name__ == "__main__":
    main()
