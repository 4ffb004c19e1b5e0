"""What the tests of updates share: a platform's client file, and its procedure opened or run."""

from pathlib import Path
from typing import Any

import pytest

from bmnb.errors import BmnbError
from bmnb.lab import Lab
from bmnb.procedures import updating_bluemind as procedure
from bmnb.run import Run
from bmnb.settings import make
from tests.lab.migration import write_client

ANSWERS = {"backup": "snapshots of the lab, seen by its maker", "start-update": "core"}
OLD, NEW = "4.9.3884", "4.9.4012"
MAILBOX = "jurgen.user1@example.org"
OUTSIDE = "someone@outside.example"


def values(lab: Lab, runs: Path, **more: Any) -> dict[str, Any]:
    others = [server.name for server in lab.servers if server.name not in ("core", "repository")]
    entry = lab.server("edge" if "edge" in others else "core")
    return {
        "client": "test",
        "core": "core",
        "servers": others,
        "address": entry.address,
        "ssh_config": str(lab.ssh_config),
        "runs": str(runs),
        "answers": ANSWERS,
        "test_mailbox": MAILBOX,
        "dry_run": False,
        **more,
    }


def client_file(lab: Lab, runs: Path, **more: Any) -> Path:
    return write_client(runs, values(lab, runs, **more))


def opened(lab: Lab, runs: Path, **more: Any) -> Run:
    found = make(procedure.Settings, values(lab, runs, **more))
    return Run(procedure.PROCEDURE, found, show=lambda table: None)


def refusal(lab: Lab, runs: Path, step: str = "prerequisites", **more: Any) -> BmnbError:
    """What the run stops with at a step, those before it being done."""
    run = opened(lab, runs, **more)
    try:
        for earlier in procedure.PROCEDURE.steps:
            if earlier.actions.__name__ == step:
                break
            run(earlier)
        with pytest.raises(BmnbError) as stopped:
            run(earlier)
        return stopped.value
    finally:
        run.close()


def through(lab: Lab, runs: Path, step: str, **more: Any) -> Run:
    """The run, done up to a step and closed."""
    run = opened(lab, runs, **more)
    try:
        for one in procedure.PROCEDURE.steps:
            run(one)
            if one.actions.__name__ == step:
                return run
        raise AssertionError(f"no step {step}")
    finally:
        run.close()
