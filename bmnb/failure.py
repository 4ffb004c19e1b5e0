"""How a command line that failed is told."""

from __future__ import annotations

from bmnb.steps import Result

INTERRUPTED = "stopped by the operator"
LAST_LINES = 10


def failure(result: Result) -> str:
    """One message: server, command, exit status, last lines."""
    lines = (result.stderr.strip() or result.stdout.strip()).splitlines()[-LAST_LINES:]
    if result.stderr == INTERRUPTED:
        return f"{INTERRUPTED}; nothing of it runs on {result.host} any more\n  $ {result.line}"
    how = (
        f"exit status {result.exit}"
        if result.exit is not None
        else "it did not end: killed, or the server restarted"
    )
    said = "".join(f"\n  | {line}" for line in lines)
    return f"{how} on {result.host}{said}\n  $ {result.line}"
