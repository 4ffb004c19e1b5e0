"""A stand-in for the services that answer to the outside: web, imap, lmtp, search. It is not BlueMind."""

from __future__ import annotations

import json
import re
import smtplib
import socketserver
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from . import cyrus, networks, node
from .here import has_cyrus
from .imap import Imap, deliver, inbox

RECEIVED = Path("/var/spool/bm-lmtpd/received")
STATE = "http://127.0.0.1:8090/api/system/installation/state"
PAGE = (
    b"<!doctype html><title>BlueMind stand-in</title><p>This is a stand-in for rehearsal, not BlueMind.</p>\n"
)


class Web(BaseHTTPRequestHandler):
    """The webserver: a page while the core runs, else what BlueMind shows instead."""

    def do_GET(self) -> None:
        state = core_state()
        if self.path.startswith("/setup") or self.path == "/ping" or state == "RUNNING":
            self._send(200)
        elif state == "INSTALLED":
            self._send(302, "/setup/index.html")
        else:
            self._send(502 if state == "away" else 503)

    do_OPTIONS = do_HEAD = do_GET

    def _send(self, status: int, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(PAGE)

    def log_message(self, format: str, *words: Any) -> None:
        """Requests are not logged."""


def core_state() -> str:
    """The last word of the core's state, or `away`."""
    try:
        with urllib.request.urlopen(STATE, timeout=5) as answer:
            return str(json.load(answer)).rpartition("_")[2]
    except urllib.error.URLError:
        return "away"


class Search(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"cluster_name": "bluemind", "status": "green", "number_of_nodes": 1}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *words: Any) -> None:
        """Requests are not logged."""


class Lmtp(socketserver.StreamRequestHandler):
    """Takes mail, keeps envelope and message, so that one sees what came, and delivers to mailboxes that are here."""

    def handle(self) -> None:
        self._say("220 stand-in LMTP")
        recipients: list[bytes] = []
        for line in self.rfile:
            verb = line.strip().upper()
            if verb == b"QUIT":
                self._say("221 bye")
                return
            if verb == b"DATA":
                self._receive(recipients)
                recipients = []
            else:
                recipients += [line] if verb.startswith(b"RCPT") else []
                self._say("250 OK")

    def _receive(self, recipients: list[bytes]) -> None:
        self._say("354 go on")
        message = list(iter(self.rfile.readline, b".\r\n"))
        RECEIVED.parent.mkdir(exist_ok=True)
        with RECEIVED.open("ab") as received:
            received.writelines([*recipients, *message])
        if has_cyrus():
            self._hand_on([address(one) for one in recipients], b"".join(message[:-1]))
            return
        for recipient in recipients:
            folder = inbox(address(recipient))
            if folder:
                deliver(folder, b"".join(message[:-1]))
            self._say("250 delivered")

    def _hand_on(self, recipients: list[str], message: bytes) -> None:
        for recipient in recipients:
            try:
                cyrus.deliver([recipient], "", message)
                self._say("250 delivered")
            except smtplib.SMTPRecipientsRefused as error:
                ((code, said),) = error.recipients.values()
                self._say(f"{code} {said.decode(errors='replace').splitlines()[0]}")
            except (smtplib.SMTPException, OSError) as error:
                self._say(f"451 {error}")

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


def address(recipient: bytes) -> str:
    return recipient.decode().partition("<")[2].partition(">")[0]


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


HANDLERS: dict[str, tuple[type[socketserver.BaseRequestHandler], list[tuple[str, int]]]] = {
    "web": (Web, [("127.0.0.1", 8080)]),
    "search": (Search, [("", 9200)]),
    "imap": (Imap, [("", 143), ("", 1143)]),
    "lmtp": (Lmtp, [("", 2400)]),
    "node": (node.Node, [("", node.PORT)]),
}


ELASTICSEARCH = Path("/usr/share/bm-elasticsearch/config/elasticsearch.yml")


def serve(name: str) -> None:
    handler, addresses = HANDLERS[name]
    if name == "search":
        networks.assert_own(*re.findall(r'"([\d.]+)"', ELASTICSEARCH.read_text()))
    servers = [Server(address, handler) for address in addresses]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1])
