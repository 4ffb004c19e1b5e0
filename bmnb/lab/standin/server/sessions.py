"""Who may call: the core's own token, and sessions made by logging in."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from .here import Fault, literal, sql, token

ADMIN = "admin0@global.virt"

_sessions: set[str] = set()


def valid(key: str) -> bool:
    return bool(key) and (key == token() or key in _sessions)


def hashed(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def login(who: str, secret: Any) -> dict[str, Any]:
    """Open a session with the password of admin0 or the token; a wrong one is no error, it answers Bad."""
    if who == ADMIN and (secret == token() or _is_password(str(secret))):
        key = str(uuid.uuid4())
        _sessions.add(key)
        return {"status": "Ok", "message": None, "authKey": key, "latd": who, "authUser": user()}
    return {"status": "Bad", "message": None, "authKey": None, "latd": None, "authUser": None}


def _is_password(password: str) -> bool:
    wanted = literal(hashed(password))
    return bool(sql(f"SELECT 1 FROM t_domain_user WHERE login = 'admin0' AND system AND password = {wanted}"))


def change_password(password: str) -> None:
    if not password:
        raise Fault("INVALID_PARAMETER", "empty password")
    sql(f"UPDATE t_domain_user SET password = {literal(hashed(password))} WHERE login = 'admin0' AND system")


def logout(key: str) -> None:
    _sessions.discard(key)


def user() -> dict[str, Any]:
    empty: dict[str, Any] = {"rolesByOU": {}, "settings": {}, "value": None}
    known = {
        "uid": "admin0_global.virt",
        "domainUid": "global.virt",
        "displayName": ADMIN,
        "roles": ["systemManagement"],
    }
    return {**known, **empty}
