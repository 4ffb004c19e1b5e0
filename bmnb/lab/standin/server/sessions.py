"""Who may call: the core's own token, and sessions made by logging in."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from .client import DOMAINS
from .here import Fault, literal, sql, token

ADMIN = "admin0@global.virt"

_sessions: dict[str, str] = {}
"""Whose session a key is."""


def valid(key: str) -> bool:
    return bool(key) and (key == token() or key in _sessions)


def _open(who: str) -> dict[str, Any]:
    key = str(uuid.uuid4())
    _sessions[key] = who
    return {"status": "Ok", "message": None, "authKey": key, "latd": who, "authUser": user()}


BAD = {"status": "Bad", "message": None, "authKey": None, "latd": None, "authUser": None}


def hashed(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def login(who: str, secret: Any) -> dict[str, Any]:
    """Open a session with admin0's password or the token, or go on with one's own; a wrong one answers Bad."""
    if who == ADMIN and (secret == token() or _is_password(str(secret))):
        return _open(who)
    return _open(who) if _sessions.get(str(secret)) == who else BAD


def act_as(who: str, key: str) -> dict[str, Any]:
    """A session of a user, for who has the core's own token or is admin0."""
    if key != token() and _sessions[key] != ADMIN:
        raise Fault("PERMISSION_DENIED", "not of the global domain")
    left, _, given = who.partition("@")
    right = next((one.name for one in DOMAINS if given in (one.uid, *one.aliases)), given)
    there = f"left_address = {literal(left)} AND right_address = {literal(right)}"
    return _open(who) if sql(f"SELECT 1 FROM t_mailbox_email WHERE {there} LIMIT 1") else BAD


def _is_password(password: str) -> bool:
    wanted = literal(hashed(password))
    return bool(sql(f"SELECT 1 FROM t_domain_user WHERE login = 'admin0' AND system AND password = {wanted}"))


def change_password(password: str) -> None:
    if not password:
        raise Fault("INVALID_PARAMETER", "empty password")
    sql(f"UPDATE t_domain_user SET password = {literal(hashed(password))} WHERE login = 'admin0' AND system")


def logout(key: str) -> None:
    _sessions.pop(key, None)


def user() -> dict[str, Any]:
    empty: dict[str, Any] = {"rolesByOU": {}, "settings": {}, "value": None}
    known = {
        "uid": "admin0_global.virt",
        "domainUid": "global.virt",
        "displayName": ADMIN,
        "roles": ["systemManagement"],
    }
    return {**known, **empty}
