"""How a command line that failed is told."""

from __future__ import annotations

from bmnb.steps import Result

INTERRUPTED = "stopped by the operator"
LAST_LINES = 10
TYPED = 100
"""Letters up to which a line is one that a person may have typed; a program is in the journal, and told by its title."""


def failure(result: Result) -> str:
    """One message: server, exit status, last lines, and the command where it is one that is typed."""
    lines = (result.stderr.strip() or result.stdout.strip()).splitlines()[-LAST_LINES:]
    if result.stderr == INTERRUPTED:
        return f"{INTERRUPTED}; nothing of it runs on {result.host} any more{_typed(result.line)}"
    how = (
        f"exit status {result.exit}"
        if result.exit is not None
        else "it did not end: killed, or the server restarted"
    )
    said = "".join(f"\n  | {line}" for line in lines)
    return f"{how} on {result.host}{said}{_typed(result.line)}"


def _typed(line: str) -> str:
    return f"\n  $ {line}" if len(line) <= TYPED and "\n" not in line else ""
