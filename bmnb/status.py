"""Where a run stands, by its journal: for a person as lines, for a program as one object."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime
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
        "folder": str(folder),
        "procedure": facts.procedure.name,
        "client": facts.settings["client"],
        "state": facts.state,
        "why": facts.stopped_by,
        "step": facts.reached.title if facts.reached else "",
        "users cut off": bool(stopped) and not answers,
        "downtime": facts.downtime,
        "proof": facts.proof,
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


MEANS = {
    "finished": "done; nothing is left for bmnb to do",
    "rolled back": "rolled back; a new run begins from the start",
    "stopped": "stopped, and waits for somebody",
    "open": "under way, or ended with nobody left to say",
}


def text(state: dict[str, Any]) -> str:
    """The same for a person."""
    lines = [f"{state['run']}: {state['state']} ({MEANS[state['state']]})"]
    lines += [state["why"]] if state["why"] else []
    lines += ["users are cut off"] if state["users cut off"] else []
    lines += [f"the copy: {state['proof']}"] if state["proof"] else []
    lines += [f"{one['status']}: {one['title']} ({one['server']})" for one in state["open"]]
    lines += list(_ways(state))
    if state["torn"]:
        lines.append(
            "the journal's last line has no end, after a crash or a full disk: what it told does not count"
        )
    head = f"head of the record: line {state['head']['line']}, {state['head']['sha256']}"
    return "\n".join([*lines, *_aligned(list(_shown(state["phases"]))), head])


def _ways(state: dict[str, Any]) -> Iterator[str]:
    """The way on and the way back, as commands with the run's own folder."""
    folder = shlex.quote(state["folder"])
    if state["state"] in ("stopped", "open"):
        yield f"on: bmnb run {state['procedure']} -f {folder}/client.yaml, or the notebook's next cell"
    if state["state"] != "rolled back":
        yield f"back: bmnb rollback {folder} --dry-run shows what it does and costs"


def _shown(rows: list[Row]) -> Iterator[Row]:
    """Times as a clock shows them, and no column that is empty throughout."""
    told = [name for name in (rows[0] if rows else {}) if any(row[name] not in ("", None) for row in rows)]
    for row in rows:
        times = {name: wording.clock(datetime.fromisoformat(row[name])) for name in ("began", "ended")}
        yield {name: {**row, **times}[name] for name in told}


def _aligned(rows: list[Row]) -> Iterator[str]:
    """Rows as lines, their columns one below the other."""
    lines = [[_(name) for name in rows[0]]] if rows else []
    lines += [[wording.cell(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(map(str.ljust, line, widths)).rstrip()


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
