"""What the tests of whole migrations share."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from bmnb.lab import Lab
from bmnb.lab.server import Server
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.run import Run
from bmnb.settings import make
from bmnb.steps import Procedure

ANSWERS = {"erase-target": "target", "stop-service": "origin", "switch-servers": "origin"}
NOT_YET = {key: answer for key, answer in ANSWERS.items() if key != "switch-servers"}
"""With these a run waits at the switch."""
BMNB = [sys.executable, "-m", "bmnb"]


def values(lab: Lab, runs: Path, **more: Any) -> dict[str, Any]:
    return {
        "client": "test",
        "origin": "origin",
        "target": "target",
        "address": lab.origin.address,
        "ssh_config": str(lab.ssh_config),
        "runs": str(runs),
        "answers": ANSWERS,
        "dry_run": False,
        # the faults are those of the document's commands
        "engine": "literal",
        **more,
    }


def client_file(lab: Lab, runs: Path, **more: Any) -> Path:
    return write_client(runs, values(lab, runs, **more))


def write_client(runs: Path, values: dict[str, Any]) -> Path:
    runs.mkdir(exist_ok=True)
    path = runs / "client.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def opened(lab: Lab, runs: Path, **more: Any) -> Run:
    return Run(PROCEDURE, make(PROCEDURE.settings, values(lab, runs, **more)), show=lambda table: None)


def start(client: Path, *options: str, procedure: Procedure = PROCEDURE) -> subprocess.Popen[str]:
    """`bmnb run`, in a process group of its own."""
    command = [*BMNB, "run", procedure.name, "-f", str(client), *options]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def finish(client: Path, procedure: Procedure = PROCEDURE) -> tuple[int, str]:
    running = start(client, procedure=procedure)
    said, _ = running.communicate(timeout=600)
    return running.returncode, said


def journal(runs: Path) -> list[dict[str, Any]]:
    """The lines of the latest run."""
    paths = sorted(runs.glob("*/journal.jsonl"), key=lambda path: path.stat().st_mtime)
    whole = paths[-1].read_text().rpartition("\n")[0] if paths else ""
    return [json.loads(line) for line in whole.splitlines()]


def done(runs: Path, title: str, step: str) -> list[dict[str, Any]]:
    """The ends of the actions with this title, in this step."""
    return [
        line
        for line in journal(runs)
        if line["event"] == "done" and line["title"] == title and line["action"].startswith(step)
    ]


SAFETY = Path(__file__).parent.parent.parent / "docs" / "safety.md"


def listed(origin: bool) -> list[str]:
    """What docs/safety.md says stays in the runs' folder on a server, as patterns."""
    part = SAFETY.read_text().partition("## What stays on the servers")[2].partition("\n## ")[0]
    rows = [row.split("|")[1] for row in part.splitlines() if row.startswith("| ")]
    return [
        name for row in rows if origin or "on the origin" not in row for name in re.findall("`(.+?)`", row)
    ]


def unlisted(server: Server, origin: bool) -> list[str]:
    """What lies there beyond that."""
    found = server.must("cd /var/lib/bmnb && find . -mindepth 1 -maxdepth 2 -printf '%P\\n'").split()
    names = [re.sub("^test(?=/|-until-)", "CLIENT", name) for name in found if name != "test"]
    return sorted(name for name in names if not any(fnmatch(name, one) for one in listed(origin)))


def wait_for(running: subprocess.Popen[str], runs: Path, title: str, step: str) -> None:
    """Wait until an action with this title, in this step, has started and not yet ended."""
    while running.poll() is None:
        lines = [
            line
            for line in journal(runs)
            if line.get("title") == title and line.get("action", "").startswith(step)
        ]
        if lines and lines[-1]["event"] == "started":
            return
        time.sleep(0.05)
    raise AssertionError(f"{title} was never seen running: {running.communicate()[0]}")


def kill_all(process: subprocess.Popen[str]) -> None:
    """SIGKILL for the command and its kernel, so that nothing of the controller is left."""
    tree = [process.pid]
    for pid in tree:
        children = Path(f"/proc/{pid}/task/{pid}/children")
        tree += [int(child) for child in children.read_text().split()] if children.exists() else []
    for pid in tree:
        os.kill(pid, signal.SIGKILL)
    process.wait()
    while any(Path(f"/proc/{pid}").exists() for pid in tree):
        time.sleep(0.05)
