"""State, version, subscription and upgrade of the installation."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Any

from .configuration import values
from .here import TOKEN, Fault, facts, literal, log, software, sql, variant
from .tasks import Say

LIST = Path("/etc/apt/sources.list.d/bm.list")
RUNNING, UPGRADE, MAINTENANCE = "CORE_STATE_RUNNING", "CORE_STATE_UPGRADE", "CORE_STATE_MAINTENANCE"
NOT_INSTALLED, STARTING = "CORE_STATE_NOT_INSTALLED", "CORE_STATE_STARTING"

_state = STARTING


def enter(state: str) -> None:
    global _state
    log("n.b.s.s.StateContext", f"Core state transition from {_state} to {state}")
    _state = state


def decide() -> None:
    """The state in which a core starts: by its token, and by the versions of database and software."""
    if not TOKEN.exists():
        enter(NOT_INSTALLED)
    else:
        enter(RUNNING if database_version() == software() else UPGRADE)


def state() -> str:
    return _state


def database_version() -> str:
    found = sql("SELECT version FROM t_component_version WHERE component = 'bm/core'")
    return found[0][0] if found else ""


def infos() -> dict[str, Any]:
    return {
        "defaultDomain": values().get("default_domain"),
        "softwareVersion": software(),
        "releaseName": variant().name,
    }


def version() -> dict[str, Any]:
    database = database_version()
    return {
        "databaseVersion": database,
        "softwareVersion": software(),
        "versionName": variant().name,
        "needsUpgrade": database != software(),
    }


def subscription() -> dict[str, Any]:
    """Read from the repository's file, where an installed subscription lies; one is for one distribution."""
    told = dict(re.findall(r"^# (\w+): (.*)$", LIST.read_text() if LIST.exists() else "", re.MULTILINE))
    ends = int(told.get("ends", 0))
    signed = told.get("distribution") == facts()["release"]
    return {
        "version": variant().name,
        "installationVersion": software(),
        "customer": told.get("customer"),
        "customerCode": told.get("code"),
        "dealer": None,
        "distributor": None,
        "kind": told.get("kind", "NONE"),
        "starts": int(told.get("starts", 0)),
        "ends": ends,
        "valid": signed and ends > time.time() * 1000,
        "validProvider": True,
        "pubKeyFingerprint": None,
        "fromTechVersion": None,
        "indicator": [],
        "contacts": contacts(),
        "messages": _messages(signed, ends),
    }


def _messages(signed: bool, ends: int) -> list[dict[str, str]]:
    if not signed:
        return [
            {"kind": "Error", "code": "InvalidSignature", "message": "no subscription for this distribution"}
        ]
    if ends <= time.time() * 1000:
        return [{"kind": "Error", "code": "Expired", "message": "the subscription has expired"}]
    return []


def contacts() -> list[str]:
    return values().get("subscription_contacts", "").split()


def set_contacts(given: list[str]) -> None:
    text = literal(" ".join(given))
    sql(f"UPDATE t_systemconf SET configuration = configuration || hstore('subscription_contacts', {text})")


def prepare(wanted: str) -> None:
    """Checks before an update; the stand-in has one repository, so nothing is pointed elsewhere."""
    if not contacts() or not subscription()["valid"]:
        raise Fault("UNKNOWN", f"Unable to set upgrade version to: {wanted} - Checks have been failed")
    log("n.b.s.s.i.InstallationService", f"upgrade version set to {wanted}")


def upgrade(say: Say) -> None:
    """Bring the database to the software's version."""
    say("Begin upgrade")
    wanted = literal(software())
    sql(f"UPDATE t_component_version SET version = {wanted} WHERE component = 'bm/core'")
    say("Core upgrade complete")
    log("n.b.s.s.i.InstallationUpgradeTask", "Core upgrade ended")
    enter(RUNNING)


def post_install(say: Say) -> None:
    say("post install done")


def ping_node(ip: str) -> None:
    """Ask the node of a server; this one's is all there is."""
    known = [row[0] for row in sql("SELECT ip FROM t_server")]
    up = subprocess.run(["systemctl", "is-active", "--quiet", "bm-node"], check=False).returncode == 0
    if ip not in known or not up:
        raise Fault("UNKNOWN", f"node {ip} does not answer")
