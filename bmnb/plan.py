"""The plan: the actions of a procedure as rows, with no server at hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bmnb.steps import Command, Procedure, Row, Single, Step, kind, singles


def rows(procedure: Procedure, settings: Any) -> Iterator[Row]:
    """A row an action, in the order of the document."""
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
            }


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
    return action.host if isinstance(action.host, str) else ", ".join(action.host)


def _command(action: Single) -> str:
    if isinstance(action, Command):
        return action.line
    line = action.line
    return line if isinstance(line, str) else "\n".join(line)
