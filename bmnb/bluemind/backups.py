"""What can be seen of a backup: DataProtect's last one, and the files under its folder."""

from __future__ import annotations

import time
from typing import Any

from bmnb.steps import Result, Verdict

GENERATIONS = "/api/dataprotect/generations"
FOLDER = "/var/backups/bluemind"
LAST_RUN = {"jobId": "DataProtect", "active": False, "from": 0, "size": 1}

FILES = (
    f"[ ! -d {FOLDER} ] || find {FOLDER} -type f -printf '%T@ %s\\n' | "
    "awk '{files++; bytes += $2; if ($1 > last) last = $1} END {print files + 0, bytes + 0, int(last)}'"
)


def newest(generations: Any) -> Verdict:
    """Always holds: DataProtect is one kind of backup, and lies on the platform that it is for."""
    if not generations:
        return Verdict(True, "DataProtect has saved nothing")
    last = max(generations, key=lambda one: int(one["protectionTime"]))
    hours = (time.time() - int(last["protectionTime"]) / 1000) / 3600
    how = (
        "with errors" if last["withErrors"] else "with warnings" if last["withWarnings"] else "without errors"
    )
    return Verdict(True, f"DataProtect's last one is {hours:.0f} hours old, {how}")


def last_run(executions: Any) -> Verdict:
    """Always holds: how the job of BlueMind's backup ended the last time."""
    found = max(executions["values"], key=lambda one: int(one["startDate"]), default=None)
    return Verdict(True, f"the job's last run: {found['status']}" if found else "the job has not run")


def files(told: Result) -> Verdict:
    words = told.stdout.split()
    if len(words) != 3 or words[0] == "0":
        return Verdict(told.ok, f"nothing under {FOLDER}")
    hours = (time.time() - int(words[2])) / 3600
    return Verdict(
        True, f"{int(words[0]):,} files, {int(words[1]) / 1e6:,.0f} MB, the last one {hours:.0f} hours old"
    )
