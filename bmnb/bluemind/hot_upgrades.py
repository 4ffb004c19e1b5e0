"""Hot upgrades: what BlueMind goes on with after an update, while users work.

Paths, fields and states are those of IHotUpgrade, which there is from 4.5 on. Whether one that is due at night is
among those that run before then is not published, so what is planned and what runs are told apart.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from bmnb.bluemind.releases import INFOS
from bmnb.steps import Condition, Row, Verdict

RUNNING = "/api/hot_upgrade/running"
PROGRESS = "/api/hot_upgrade/progress"
LIST = "/api/hot_upgrade/list"
ALL: dict[str, Any] = {}
"""The filter of the list that leaves nothing out."""

BEFORE_4_5 = r"3\.|4\.[0-4]([^0-9]|$)"
REMEDY = "see them in the administration console; they go on by themselves, and bm-cli hotupgrade start begins those that wait"


def exist(core: str) -> Condition:
    return Condition(
        core,
        f'! curl -q -fsS --noproxy "*" {INFOS} | grep -qE \'"releaseName": *"({BEFORE_4_5})\'',
        "before 4.5 there are no hot upgrades",
    )


def none_runs(running: Any) -> Verdict:
    names = sorted({str(one["operation"]) for one in running or []})
    return Verdict(not names, ", ".join(names) or "none")


def none_failed(tasks: Any) -> Verdict:
    """What waits may go on after the update, what has failed is mended before it."""
    found = [one for one in tasks or [] if one["status"] == "FAILURE"]
    return Verdict(not found, told(tasks), tuple(map(_item, found)))


def ended(tasks: Any) -> Verdict:
    """None waits, runs or has failed; where all that are left have failed, waiting does not help."""
    left = [one for one in tasks or [] if one["status"] != "SUCCESS"]
    failed = bool(left) and all(one["status"] == "FAILURE" for one in left)
    return Verdict(not left, told(tasks), tuple(map(_item, left)), final=failed)


def progress(told: Any) -> Verdict:
    """Always holds: how many have which state."""
    return Verdict(True, ", ".join(f"{one['count']} {one['status']}" for one in told or []) or "none")


def told(tasks: Any) -> str:
    counts = Counter(str(one["status"]) for one in tasks or [])
    return ", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "none"


def _item(task: Any) -> Row:
    mode = task.get("executionMode")
    return {"operation": task["operation"], "state": task["status"], **({"execution": mode} if mode else {})}
