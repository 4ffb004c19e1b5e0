"""Scheduled jobs and what DataProtect has saved."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from .here import Fault, software

BACKUP_RUNS = Path("/run/bmnb-backup-runs")
"""A rehearsal makes this file to have a backup running."""

HOUR = 3_600_000
JOBS = {"DataProtect": "GLOBAL", "ExecutionsCleaner": "GLOBAL", "LdapImport": "MULTIDOMAIN"}


def now() -> int:
    return int(time.time() * 1000)


def execution(job: str, number: int, status: str, started: int) -> dict[str, Any]:
    return {
        "id": number,
        "jobId": job,
        "domainUid": "global.virt",
        "startDate": started,
        "endDate": None if status == "IN_PROGRESS" else started + HOUR // 2,
        "status": status,
        "execGroup": f"{job}-{number}",
    }


def executions(query: Any) -> dict[str, Any]:
    """Runs of jobs, the newest first."""
    wanted, active = query.get("jobId"), query.get("active")
    found = [execution("DataProtect", 42, "IN_PROGRESS", now() - HOUR)] if BACKUP_RUNS.exists() else []
    if not active:
        found += [execution(job, 41, "SUCCESS", now() - 8 * HOUR) for job in JOBS]
    chosen = [one for one in found if wanted in (None, one["jobId"])]
    statuses = query.get("statuses")
    chosen = [one for one in chosen if not statuses or one["status"] in statuses]
    size = query.get("size")
    return {"values": chosen if size in (None, -1) else chosen[:size], "total": len(chosen)}


def job(name: str) -> dict[str, Any]:
    if name not in JOBS:
        raise Fault("NOT_FOUND", f"job {name} not found")
    runs = name == "DataProtect" and BACKUP_RUNS.exists()
    return {
        "id": name,
        "description": name,
        "kind": JOBS[name],
        "domainStatus": [{"domain": "global.virt", "status": "IN_PROGRESS" if runs else "SUCCESS"}],
        "domainPlanification": [],
        "sendReport": False,
        "recipients": None,
    }


def search(query: Any) -> dict[str, Any]:
    found = [job(name) for name in JOBS if query.get("jobId") in (None, name)]
    return {"values": found, "total": len(found)}


def generations() -> list[dict[str, Any]]:
    """One backup, of this morning."""
    made = now() - 8 * HOUR
    major, minor, release = software().split(".")[:3]
    part = {
        "id": 1,
        "generationId": 7,
        "begin": made,
        "end": made + HOUR,
        "size": 1 << 20,
        "tag": "bm/pgsql",
        "server": "bm-master",
        "datatype": "pgsql",
        "withWarnings": False,
        "withErrors": False,
        "valid": "VALID",
    }
    return [
        {
            "id": 7,
            "protectionTime": made,
            "blueMind": {"major": major, "minor": minor, "release": release, "displayName": software()},
            "withWarnings": False,
            "withErrors": False,
            "parts": [part],
        }
    ]
