"""Notices reach a real SMTP server and a real webhook; what cannot be sent is on record and stops nothing."""

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from bmnb.errors import InputError
from bmnb.fleet.inventory import gather
from bmnb.fleet.letters import calendar
from bmnb.fleet.wishes import Wishes
from bmnb.procedures.changing_distributions import PROCEDURE
from tests.fleet.conductor import Played, entry, inventory


class Inbox:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.receivers: list[list[str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.receivers.append(envelope.rcpt_tos)
        return "250 kept"


@contextmanager
def smtp(**options: Any) -> Iterator[tuple[Inbox, int]]:
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    server.start()
    try:
        yield inbox, port
    finally:
        server.stop()


def plain(port: int, **more: Any) -> dict[str, Any]:
    return {"smtp": "127.0.0.1", "port": port, "security": "none", "sender": "fleet@example.org", **more}


def in_minutes(number: float) -> str:
    return (datetime.now().astimezone() + timedelta(minutes=number)).isoformat()


def test_nothing_is_sent_unless_it_is_asked_for(tmp_path: Path):
    played = Played(tmp_path, entry("a", mail=["it@example.org"]))
    assert played.run(notify=True) == 0
    assert played.store.notices() == []


def test_a_client_is_told_before_at_the_start_and_at_the_end_in_its_language(tmp_path: Path):
    window = {"not_before": in_minutes(0.05), "not_after": in_minutes(60)}
    with smtp() as (inbox, port):
        played = Played(
            tmp_path,
            entry("École", mail=["it@ecole.example"], language="fr", **window),
            entry("b", "0 3"),
            notices=plain(port, to=["ops@example.org"]),
        )
        assert played.run(notify=True) == 3
    told = {mail["Subject"]: mail for mail in inbox.mails}
    assert sorted(told) == [
        "BlueMind maintenance for b has begun",
        "BlueMind maintenance for b needs attention",
        "Maintenance BlueMind de École : créneau prévu",
        "Maintenance BlueMind de École : début",
        "Maintenance BlueMind de École : terminée",
    ]
    first = inbox.mails[
        [mail["Subject"] for mail in inbox.mails].index("Maintenance BlueMind de École : créneau prévu")
    ]
    text, planned = first.iter_parts()
    assert "Elle commence au plus tôt à" in text.get_content()
    assert planned.get_content_type() == "text/calendar"
    assert first["To"] == "ops@example.org, it@ecole.example"
    assert "cannot be done" in told["BlueMind maintenance for b needs attention"].get_content()
    assert ["ops@example.org"] in inbox.receivers
    assert {one["problem"] for one in played.store.notices()} == {""}


def test_a_window_is_foretold_once(tmp_path: Path):
    with smtp() as (inbox, port):
        entries = [entry("a", not_before=in_minutes(30), not_after=in_minutes(90))]
        for _ in range(2):
            played = Played(tmp_path, *entries, notices=plain(port, to=["ops@example.org"]))
            threading.Timer(1.5, played.ending.set).start()
            played.run(notify=True)
    assert [mail["Subject"] for mail in inbox.mails].count("BlueMind maintenance for a is planned") == 1


def test_mail_goes_out_encrypted_with_a_password_from_a_file(tmp_path: Path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    line = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*line.split(), *more], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    (tmp_path / "password").write_text("canary\n")
    logins = []

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        logins.append((data.login, data.password))
        return AuthResult(success=True)

    options = {"user": "fleet", "password_file": str(tmp_path / "password"), "ca_file": str(certificate)}
    with smtp(tls_context=context, require_starttls=True, authenticator=check, auth_required=True) as (
        inbox,
        port,
    ):
        told = plain(port, to=["ops@example.org"], **options) | {"security": "starttls"}
        played = Played(tmp_path, entry("a"), notices=told)
        assert played.run(notify=True) == 0
    assert [one["problem"] for one in played.store.notices()] == ["", ""]
    assert (set(logins), len(inbox.mails)) == ({(b"fleet", b"canary")}, 2)
    left = b"".join(path.read_bytes() for path in (tmp_path / "runs").rglob("*") if path.is_file())
    assert b"canary" not in left


def test_a_webhook_is_told_and_a_dead_server_is_on_record(tmp_path: Path):
    heard: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            pass

    hook = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    told = plain(1, to=["ops@example.org"], webhook=f"http://127.0.0.1:{hook.server_port}/")
    played = Played(tmp_path, entry("a"), notices=told)
    assert played.run(notify=True) == 0
    hook.shutdown()
    hook.server_close()
    assert [(one["kind"], one["client"]) for one in heard] == [("start", "a"), ("end", "a")]
    problems = {(one["way"], one["problem"].split(":")[0]) for one in played.store.notices()}
    assert problems == {("mail", "ConnectionRefusedError"), ("webhook", "")}


def test_what_an_inventory_says_of_notices_is_checked(tmp_path: Path):
    path = inventory(tmp_path, entry("a"), notices={"smtp": "mail", "webhok": "x"})
    with pytest.raises(InputError, match="notices: unknown parameter 'webhok': did you mean 'webhook'"):
        gather(PROCEDURE, [str(path)])
    path = inventory(tmp_path, entry("a"), notices={"smtp": "mail", "webhook": "ftp://x", "security": "ssl"})
    with pytest.raises(InputError, match=r"(?s)security: .*sender: .*webhook: "):
        gather(PROCEDURE, [str(path)])


def test_a_calendar_s_lines_are_those_of_rfc_5545():
    begin = datetime.fromisoformat("2026-01-31T22:00:00+01:00")
    title = "Maintenance, " + "é" * 60
    made = calendar("a", title, Wishes(not_before=begin, not_after=begin + timedelta(hours=4)))
    assert made.endswith("END:VCALENDAR\r\n")
    assert all(len(line.encode()) <= 75 for line in made.split("\r\n"))
    whole = made.replace("\r\n ", "")
    assert "DTSTART:20260131T210000Z\r\nDTEND:20260201T010000Z\r\n" in whole
    assert f"SUMMARY:Maintenance\\, {'é' * 60}\r\n" in whole
    assert calendar("a", "x", Wishes(not_before=begin)) == ""
