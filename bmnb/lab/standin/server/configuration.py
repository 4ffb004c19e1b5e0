"""The system configuration: what is stored, and what saving it sets off."""

from __future__ import annotations

import subprocess
from typing import Any

from . import firewall, networks
from .directory import servers
from .here import INI, Fault, ini, literal, log, sql, variant

MAIL = ("mynetworks", "relayhost", "message_size_limit")
IN_INI = {
    "external_url": "external-url",
    "other_urls": "other-urls",
    "external_protocol": "external-protocol",
}


def values() -> dict[str, str]:
    """bm.ini and the database merged; the passwords are among them, in clear."""
    stored = sql("SELECT key, value FROM t_systemconf, each(configuration)") if INI.exists() else []
    from_ini = {key.replace("-", "_"): value for key, value in ini().items() if key != "hz-member-address"}
    return {**from_ini, **{row[0]: row[1] for row in stored}}


def save(given: Any) -> None:
    """Merge what is given, then act on what has changed."""
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
        raise Fault("INVALID_PARAMETER", "a map of texts is expected", 400)
    before = values()
    wanted = {key: _sanitized(key, value) for key, value in given.items()}
    for key, value in wanted.items():
        sql(
            f"UPDATE t_systemconf SET configuration = configuration || hstore({literal(key)}, {literal(value)})"
        )
    _act({key: value for key, value in wanted.items() if before.get(key) != value})


def _sanitized(key: str, value: str) -> str:
    if key == "mynetworks":
        known = [one["value"]["ip"] for one in servers()]
        return networks.sanitize(value, known, networks.own_addresses())
    if key == "sw_password" and (not value or "'" in value):
        raise Fault("INVALID_PARAMETER", "the password must not be empty nor contain '")
    return value


def _act(changed: dict[str, str]) -> None:
    mail = {key: changed[key] for key in MAIL if key in changed}
    if mail:
        _postfix(mail)
    else:
        log("n.b.b.p.SettingsHook", "Postfix config has not changed")
    if "sw_password" in changed:
        _htpasswd(changed["sw_password"])
    if IN_INI.keys() & changed.keys():
        _bm_ini(changed)
    # From 5.x on this hook is all that the console's Save of the firewall does.
    if "fwAdditionalIPs" in changed and not variant().cyrus:
        firewall.update(changed["fwAdditionalIPs"], lambda line: None)


def _postfix(changed: dict[str, str]) -> None:
    for key, value in changed.items():
        subprocess.run(["postconf", "-e", f"{key} = {value}"], check=True)
    subprocess.run(["systemctl", "reload-or-restart", "postfix"], check=True)


def _htpasswd(password: str) -> None:
    command = ["htpasswd", "-ci", "/etc/nginx/sw.htpasswd", "admin"]
    subprocess.run(command, input=password, text=True, capture_output=True, check=True)


def _bm_ini(changed: dict[str, str]) -> None:
    merged = {**ini(), **{IN_INI[key]: changed[key] for key in IN_INI if key in changed}}
    INI.write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in merged.items()))
