"""The first hour of a server that has taken over, as `watching.py` has seen it there, and whether it went well."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from shlex import join, quote
from typing import Any

from bmnb.bluemind.logs import LOGS
from bmnb.steps import Result, Row, Verdict
from bmnb.verification import watching

PAUSE = 60
"""Seconds from one look to the next."""
FEW = 10
"""Messages in a queue that say nothing: a server that is away for a while leaves as many."""


def watch(folder: str, address: str, minutes: int) -> str:
    """A line that watches for so long; it runs in a unit of its own, so that it outlives whoever looks on."""
    return join(["python3", "-", _file(folder), address, str(minutes * 60), str(PAUSE), *LOGS])


def program() -> str:
    return Path(str(watching.__file__)).read_text(encoding="utf-8")


def seen(folder: str) -> str:
    return f"cat {quote(_file(folder))}"


def forget(folder: str) -> str:
    """What was seen is in the run's journal by then."""
    return f"rm -f {quote(_file(folder))}"


def _file(folder: str) -> str:
    return f"{folder}/first-hour.jsonl"


def went_well(told: Result) -> Verdict:
    """Whether all ports answer at the end, no message was bounced, and the queue does not grow. Errors in logs are told."""
    rounds = [json.loads(line) for line in told.stdout.splitlines()]
    if not rounds:
        return Verdict.unmade("nothing was seen")
    last, silent = rounds[-1], list(map(str, rounds[-1]["silent"]))
    row = _sums(rounds)
    wrong = [f"ports that no longer answer: {', '.join(silent)}"] if silent else []
    if last["queue"] is not None and last["queue"] > max(FEW, 2 * (rounds[0]["queue"] or 0)):
        wrong.append(f"{last['queue']} messages wait in the queue")
    if row["bounced"]:
        wrong.append(f"{row['bounced']} messages bounced")
    items = tuple(_item(one) for one in rounds if one["silent"] or one["errors"] or one["bounced"])
    told_of = f"{len(rounds)} looks, {row['sent']} messages delivered, {row['errors']} lines of level ERROR"
    return Verdict(not wrong, "; ".join([*wrong, told_of]), items, row)


def _sums(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    slowest = [one["slowest"] for one in rounds if one["slowest"] is not None]
    counted = {
        name: sum(one[name] or 0 for one in rounds) for name in ("errors", "sent", "deferred", "bounced")
    }
    queue = max((one["queue"] or 0 for one in rounds), default=0)
    return {**counted, "longest queue": queue, "slowest delivery": max(slowest, default=0.0)}


def _item(one: dict[str, Any]) -> Row:
    silent = ", ".join(map(str, one["silent"]))
    told = [
        f"silent {silent}" if silent else "",
        *(f"{name} {one[name]}" for name in ("errors", "bounced") if one[name]),
    ]
    return {"item": _clock(one["time"]), "what": ", ".join(filter(None, told))}


def _clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%H:%M} UTC"
