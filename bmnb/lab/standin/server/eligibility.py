"""The test whether this version 4 may be updated to 5, and what mends it.

Known (BlueMind's page Major Version Update): its name, its option, its five checks, that it may take over an hour, and
that it proposes commands such as these. Invented: each word that it prints, its exit status, which check proposes which
command, and the operations of `maintenance repair`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

BROKEN = Path("/etc/bmnb-ineligible")
"""A rehearsal lists in this file the checks that are to fail, by their keys, a line each."""
SECONDS_A_CHECK = 0.4

CHECKS = {
    "custom-settings": "Custom settings",
    "hot-upgrades": "Hot upgrades",
    "elasticsearch": "Elasticsearch cluster",
    "cyrus-replication": "Cyrus replication",
    "cyrus-mails": "Cyrus mails",
}
PROPOSED = {
    "hot-upgrades": "bm-cli hotupgrade start --no-delay --scheduled",
    "elasticsearch": "bm-cli index coherency --all --run-consolidate --workers=1 all",
    "cyrus-replication": "bm-cli maintenance repair --ops replication.subtree,replication.parentUid example.org",
    "cyrus-mails": "bm-cli maintenance repair --ops mailboxDefaultFolders example.org",
}


def check(percentage: int, hot_upgrades: list[dict[str, Any]]) -> int:
    """Print how each check ends; 0 where all of them hold."""
    failing = set(_failing())
    if any(one["status"] != "SUCCESS" for one in hot_upgrades):
        failing.add("hot-upgrades")
    for key, name in CHECKS.items():
        time.sleep(SECONDS_A_CHECK)
        print(f"{name} ({percentage} %): {'ERROR' if key in failing else 'OK'}", flush=True)
        if key in failing and key in PROPOSED:
            print(f"  run: {PROPOSED[key]}", flush=True)
    print("Not eligible to upgrade to BlueMind 5" if failing else "Eligible to upgrade to BlueMind 5")
    return 1 if failing else 0


def repaired(command: str) -> None:
    """What one of the proposed commands mends holds from now on."""
    kept = [key for key in _failing() if not PROPOSED.get(key, "").startswith(f"bm-cli {command}")]
    if BROKEN.exists():
        BROKEN.write_text("".join(f"{key}\n" for key in kept))


def _failing() -> list[str]:
    return BROKEN.read_text().split() if BROKEN.exists() else []
