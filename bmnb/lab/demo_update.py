"""`make demo-update`: a whole update of three servers on the lab, headless, with the download ahead and without."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import yaml

from bmnb import headless, report
from bmnb.errors import BmnbError
from bmnb.journal import Journal
from bmnb.lab.host import raise_at_sigterm
from bmnb.lab.platform import Lab
from bmnb.ledger import phase_rows
from bmnb.probe import Probe
from bmnb.procedures.updating_bluemind import PROCEDURE
from bmnb.steps import Row
from bmnb.tables import table

CLIENT = {
    "core": "core",
    "servers": ["mailbox", "edge"],
    "dry_run": False,
    "runs": "runs",
    "test_mailbox": "jurgen.user1@example.org",
    "test_outside": "someone@outside.example",
    "answers": {"backup": "the lab is made anew for each run", "start-update": "core"},
}


def main() -> int:
    """Update two platforms that are alike. Return the exit code."""
    raise_at_sigterm()
    rows, folders = [], []
    for ahead in (True, False):
        code, folder = update(ahead)
        folders.append(folder)
        report.write(folder)
        if code:
            break
        rows.append({"download": "ahead" if ahead else "in the window", **interruption(folder)})
    print(table(rows).to_string(index=False))
    print(f"notebook: {folders[0] / 'notebook.ipynb'}")
    print(f"report: {folders[0] / 'report.html'}")
    return code


def update(ahead: bool) -> tuple[int, Path]:
    """Boot a platform, update it as `bmnb run` does, take it down."""
    client = f"demo-{'ahead' if ahead else 'window'}-{os.getpid()}"
    lab = Lab(client, print)
    try:
        lab.up_for_update()
        values: dict[str, Any] = {
            "client": client,
            **CLIENT,
            "address": lab.server("edge").address,
            "ssh_config": str(lab.ssh_config),
            "download_ahead": ahead,
        }
        print(f"client file:\n{yaml.safe_dump(values, sort_keys=False)}")
        return headless.run(PROCEDURE, values, "demo", print)
    finally:
        lab.down()


def interruption(folder: Path) -> Row:
    """Seconds of the maintenance window by the journal, and those without an answer by the probes."""
    journal = Journal(folder / "journal.jsonl")
    window = next(row for row in phase_rows(PROCEDURE, journal) if row["phase"] == "Downtime")
    ports = {row["port"]: row["seconds away"] for row in Probe((), folder / "logs" / "probe.csv").rows()}
    return {"window, s": window["seconds"], **{f"{port} away, s": away for port, away in ports.items()}}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BmnbError as error:
        sys.exit(f"{type(error).__name__}: {error}")
