"""State, version, subscription and upgrade of the installation."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from . import hotupgrades, maps, node
from .configuration import values
from .here import TOKEN, Fault, facts, literal, log, release_name, software, sql, successor, variant
from .tasks import Say

UPGRADE_FAILS = Path("/run/bmnb-upgrade-fails")
"""A rehearsal makes this file to have an upgrade fail."""

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
        "releaseName": release_name(),
    }


def version() -> dict[str, Any]:
    database = database_version()
    return {
        "databaseVersion": database,
        "softwareVersion": software(),
        "versionName": release_name(),
        "needsUpgrade": database != software(),
    }


def subscription() -> dict[str, Any]:
    """Read from the repository's file, where an installed subscription lies; one is for one distribution."""
    told = _told()
    ends = int(told.get("ends", 0))
    signed = told.get("distribution") == facts()["release"]
    return {
        "version": release_name(),
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


def _told() -> dict[str, str]:
    """The head of the repository's file, in which the subscription lies."""
    return dict(re.findall(r"^# (\w+): (.*)$", node.repository(), re.MULTILINE))


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
    """Point every server's repository to a version, after checks."""
    versions = {
        "latest": newest(),
        "current": software(),
        variant().name: variant().version,
        variant().newer_name: variant().newer,
    }
    if not contacts() or not subscription()["valid"] or not conform():
        raise Fault("UNKNOWN", f"Unable to set upgrade version to: {wanted} - Checks have been failed")
    if wanted not in versions:
        raise Fault("NOT_FOUND", f"no version {wanted}")
    for ip in addresses():
        node.ask("PUT", ip, f"/repository/{versions[wanted]}")
    log("n.b.s.s.i.InstallationService", f"upgrade version set to {wanted}")


def newest() -> str:
    """What is published for the subscription, whose file says which major version it is for."""
    after = successor()
    return after.version if after and _told().get("major") == after.version[0] else variant().newer


def addresses() -> list[str]:
    return [row[0] for row in sql("SELECT ip FROM t_server ORDER BY item_id")]


def conform() -> bool:
    """Whether the nodes of all servers have the version of this core."""
    return {node.ask("GET", ip, "/version") for ip in addresses()} == {software()}


def upgrade(say: Say) -> None:
    """Bring the database to the software's version."""
    say("Begin upgrade")
    log("n.b.s.s.r.SchemaUpgrade", "Schema update path contains 1 updater(s)")
    if not conform() or UPGRADE_FAILS.exists():
        log("n.b.s.s.i.InstallationUpgradeTask", "Upgrade failed", "ERROR")
        raise Fault("UNKNOWN", "Upgrade failed")
    wanted = literal(software())
    sql(f"UPDATE t_component_version SET version = {wanted} WHERE component = 'bm/core'")
    if not variant().cyrus:
        take_mailboxes()
        hotupgrades.plan(software())
    say("Core upgrade complete")
    log("n.b.s.s.i.InstallationUpgradeTask", "Core upgrade ended")
    enter(RUNNING)


def take_mailboxes() -> None:
    """From 4 to 5: mail for all users goes to this server, as on a platform that is installed with 5 (invented)."""
    sql("UPDATE t_server SET tags = array_remove(tags, 'mail/imap') WHERE uid <> 'bm-master'")
    sql(
        "UPDATE t_server SET tags = tags || '{mail/imap}' WHERE uid = 'bm-master' AND NOT 'mail/imap' = ANY (tags)"
    )
    maps.write()


def post_install(say: Say) -> None:
    say("post install done")


def ping_node(ip: str) -> None:
    """Ask the node of a server."""
    if ip not in addresses():
        raise Fault("UNKNOWN", f"no server {ip}")
    node.ask("GET", ip, "/version")
