"""A code that was never given out is refused as such where the secret is right, and the client where it is not."""

import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from bmnb.verification import openid


class Endpoint(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        right = form["client_secret"] == ["right"]
        self.send_response(400 if right else 401)
        self.end_headers()
        said = {"right": "invalid_grant"}.get(form["client_secret"][0], "unauthorized_client")
        self.wfile.write(
            json.dumps({"error": said}).encode() if form["client_secret"] != ["odd"] else b"<html>"
        )

    def log_message(self, format: str, *words: Any) -> None:
        """Nothing is logged."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/token"
    server.shutdown()


def domain(endpoint: str, secret: str, **more: str) -> dict[str, Any]:
    own = {"OPENID_CLIENT_ID": "cli", "OPENID_CLIENT_SECRET": secret, "OPENID_TOKEN_ENDPOINT": endpoint}
    return {"uid": "example.org", "value": {"properties": {**own, **more}}}


def asked(monkeypatch: pytest.MonkeyPatch, *domains: dict[str, Any]) -> int | str | None:
    monkeypatch.setattr(openid, "domains", lambda: list(domains))
    with pytest.raises(SystemExit) as ended:
        openid.main()
    return ended.value.code


@pytest.mark.parametrize(
    ("secret", "status", "said"),
    [
        ("right", 0, "example.org its secret is taken\n"),
        ("stale", 1, "example.org unauthorized_client\n"),
        ("odd", 1, "example.org status 401\n"),
    ],
)
def test_the_secret_of_a_domain_is_tried(monkeypatch, capsys, endpoint, secret, status, said):
    assert asked(monkeypatch, domain(endpoint, secret)) == status
    assert capsys.readouterr().out == said


def test_a_domain_whose_identities_others_give_is_not_tried(monkeypatch, capsys, endpoint):
    others = domain(endpoint, "stale", AUTH_TYPE="OPENID")
    assert asked(monkeypatch, others, {"uid": "global.virt", "value": {"properties": None}}) == 0
    assert capsys.readouterr().out == ""


def test_a_keycloak_that_does_not_answer_is_no_proof(monkeypatch, capsys):
    assert asked(monkeypatch, domain("http://127.0.0.1:1/token", "right")) == 1
    assert "right" not in capsys.readouterr().out
