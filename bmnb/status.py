"""Where a run stands, by its journal: for a person as lines, for a program as one object."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bmnb import procedures
from bmnb.glance import glance, torn
from bmnb.language import _
from bmnb.report import wording
from bmnb.report.facts import gather
from bmnb.report.rows import Rows
from bmnb.steps import Row
from bmnb.stretches import moment


def of(folder: Path) -> dict[str, Any]:
    """The state of a run: `state` is finished, rolled back, stopped or open. Raise InputError where there is no run."""
    facts = gather(folder, procedures.named, glance)
    rows = Rows(facts)
    stopped, answers = facts.cut
    return {
        "run": facts.name,
        "procedure": facts.procedure.name,
        "client": facts.settings["client"],
        "state": facts.state,
        "why": facts.stopped_by,
        "step": facts.reached.title if facts.reached else "",
        "users cut off": bool(stopped) and not answers,
        "downtime": facts.downtime,
        "began": facts.began.isoformat(),
        "last": moment(facts.head).isoformat(),
        "open": [
            {
                "action": one.key,
                "server": one.server,
                "title": one.title,
                "status": one.status,
                "unit": one.unit,
            }
            for one in facts.unfinished
        ],
        "phases": [{name: _plain(value) for name, value in row.items()} for row in rows.phases],
        "steps": [{name: _plain(value) for name, value in row.items()} for row in rows.steps],
        "torn": torn(folder / "journal.jsonl"),
        "head": {"line": facts.head["number"], "sha256": facts.head["sha256"]},
    }


def text(state: dict[str, Any]) -> str:
    """The same for a person."""
    lines = [f"{state['run']}: {state['state']}"]
    lines += [state["why"]] if state["why"] else []
    lines += ["users are cut off"] if state["users cut off"] else []
    lines += [f"{one['status']}: {one['title']} ({one['server']}) {one['unit']}" for one in state["open"]]
    if state["torn"]:
        lines.append(
            "the journal's last line has no end, after a crash or a full disk: what it told does not count"
        )
    head = f"head of the record: line {state['head']['line']}, {state['head']['sha256']}"
    return "\n".join([*lines, *_aligned(state["phases"]), head])


def _aligned(rows: list[Row]) -> Iterator[str]:
    """Rows as lines, their columns one below the other."""
    lines = [[_(name) for name in rows[0]]] if rows else []
    lines += [[wording.cell(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(map(str.ljust, line, widths)).rstrip()


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
