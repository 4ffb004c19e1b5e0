"""A stand-in for Keycloak: the token endpoint of each realm, as far as a login needs it. It is not Keycloak.

A client is known by its secret; a user by asking the core with the token that the realm holds.
"""

from __future__ import annotations

import json
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .here import literal, sql, token

PORT = 8099
DATABASE = "keycloak"


class Refused(Exception):
    """An error of RFC 6749, 5.2."""

    def __init__(self, error: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.error, self.status = error, status


class Endpoint(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        try:
            self._send(200, granted(self.path.split("/")[2], form))
        except Refused as refused:
            self._send(refused.status, {"error": refused.error, "error_description": str(refused)})

    def do_GET(self) -> None:
        self._send(200, {"issuer": self.path.partition("/.well-known")[0]})

    def _send(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *words: Any) -> None:
        """Requests are not logged."""


def granted(realm: str, form: dict[str, str]) -> dict[str, Any]:
    """A token for who logs in with a password; a code that was never given out is refused."""
    known = sql(
        "SELECT value FROM realm r JOIN client c ON c.realm_id = r.id JOIN component p ON p.realm_id = r.id "
        f"JOIN component_config f ON f.component_id = p.id WHERE r.name = {literal(realm)} "
        f"AND client_id = {literal(form.get('client_id', ''))} AND secret = {literal(form.get('client_secret', ''))}",
        DATABASE,
    )
    if not known:
        raise Refused("unauthorized_client", "Invalid client or Invalid client credentials", 401)
    if form.get("grant_type") != "password":
        raise Refused("invalid_grant", "Code not valid")
    # the realm asks the core, which refuses a token that is not its own
    login = literal(form.get("username", ""))
    if known[0][0] != token() or not sql(
        f"SELECT 1 FROM t_domain_user WHERE login = {login} AND NOT archived"
    ):
        raise Refused("invalid_grant", "Invalid user credentials", 401)
    return {"access_token": "stand-in", "token_type": "Bearer", "scope": "openid"}


def main() -> None:
    ThreadingHTTPServer(("", PORT), Endpoint).serve_forever()


if __name__ == "__main__":
    main()
