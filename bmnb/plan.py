"""The plan: the actions of a procedure as rows, with no server at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bmnb.progress import clock
from bmnb.steps import Check, Command, Procedure, Row, Single, Step, kind, singles


def rows(procedure: Procedure, settings: Any, past: Mapping[str, list[float]] | None = None) -> Iterator[Row]:
    """A row an action, in the order of the document; `past` has the seconds that each step took before."""
    for step in procedure.steps:
        for number, action in enumerate(singles(step.actions(settings)), 1):
            yield {
                "phase": step.phase.title,
                "step": step.title,
                "no": number,
                "server": _server(action),
                "kind": kind(action),
                "what": action.title,
                "command": _command(action),
                "when": f"unless {action.when.otherwise}" if action.when else "",
                "downtime": "yes" if step.phase.downtime else "",
                "expected": expected((past or {}).get(step.name, [])) if number == 1 else "",
            }


def expected(seconds: list[float]) -> str:
    """How long it took before, as a range."""
    if not seconds:
        return ""
    shortest, longest = clock(min(seconds)), clock(max(seconds))
    return shortest if shortest == longest else f"{shortest} – {longest}"


def step_rows(step: Step, settings: Any) -> Iterator[Row]:
    """The rows of one step, as the notebook shows them before anything is done."""
    for action in singles(step.actions(settings)):
        yield {
            "server": _server(action),
            "action": action.title,
            "status": "planned",
            "command": _command(action),
        }


def _server(action: Single) -> str:
    host = action.host if isinstance(action.host, str) else ", ".join(action.host)
    if not isinstance(action, Check) or not action.at:
        return host
    return f"{host} at {action.at}" + (f" through {action.via}" if action.via else "")


def _command(action: Single) -> str:
    if isinstance(action, Command):
        return action.line
    line = action.line
    return line if isinstance(line, str) else "\n".join(line)
