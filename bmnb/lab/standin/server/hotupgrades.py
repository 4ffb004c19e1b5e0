"""Hot upgrades: what BlueMind goes on with after an update, while users work.

Known: the calls list, running and progress of IHotUpgrade, and the fields of a task (netbluemind5). Invented: which
ones an update plans, that within 4 there are none, and how long they take.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

STATE = Path("/var/lib/bmnb-standin-hot-upgrades")
SECONDS = 3.0
"""From when it is planned to its end."""
PLANNED, SUCCESS, FAILURE = "PLANNED", "SUCCESS", "FAILURE"
OPERATIONS = ("consolidate-index", "repack-conversations")


def plan(upgrader: str) -> None:
    """Those of an update."""
    found = _read()
    for operation in OPERATIONS:
        found.append(
            {"operation": operation, "upgraderId": upgrader, "status": PLANNED, "createdAt": time.time()}
        )
    STATE.write_text(json.dumps(found))


def finish() -> None:
    """Whatever waits or has failed is done."""
    STATE.write_text(json.dumps([{**one, "status": SUCCESS} for one in _read()]))


def listed(query: dict[str, Any]) -> list[dict[str, Any]]:
    """Tasks by their status; a filter without one is for all."""
    wanted = query.get("statuses") or [PLANNED, SUCCESS, FAILURE]
    tasks = [_task(number, one) for number, one in enumerate(_read(), 1)]
    return [one for one in tasks if one["status"] in wanted]


def running() -> list[dict[str, Any]]:
    """Those that run at this moment: the ones that wait are taken up at once."""
    return listed({"statuses": [PLANNED]})


def progress() -> list[dict[str, Any]]:
    """How many tasks have which status."""
    found = listed({})
    return [
        {"status": status, "count": count, "lastUpdatedAt": int(time.time() * 1000)}
        for status in (PLANNED, SUCCESS, FAILURE)
        if (count := sum(one["status"] == status for one in found))
    ]


def _read() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(STATE.read_text()) if STATE.exists() else []
    return found


def _task(number: int, told: dict[str, Any]) -> dict[str, Any]:
    ended = told["status"] == PLANNED and told["createdAt"] + SECONDS < time.time()
    return {
        "id": number,
        "operation": told["operation"],
        "parameters": "{}",
        "status": SUCCESS if ended else told["status"],
        "failure": 0,
        "upgraderId": told["upgraderId"],
        "createdAt": int(told["createdAt"] * 1000),
        "updatedAt": int(told["createdAt"] * 1000),
        "executionMode": "DIRECT",
        "retryCount": 3,
        "retryDelaySeconds": 60,
        "reportFailure": True,
        "mandatory": True,
        "events": [],
    }
