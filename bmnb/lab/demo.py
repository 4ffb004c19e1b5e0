"""`make demo`: a whole distribution change on the lab, headless, while the client's users work."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import yaml

from bmnb import headless, report
from bmnb.bluemind.paths import CONFIGURATION
from bmnb.errors import BmnbError
from bmnb.journal import Journal
from bmnb.lab.compare import Difference, compare
from bmnb.lab.platform import Lab
from bmnb.ledger import downtime
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.transfer.engine import OPEN_LINE

CLIENT = {
    "client": "demo",
    "origin": "origin",
    "target": "target",
    "hot_passes": 2,
    "engine": "fast",
    "dry_run": False,
    "answers": {"erase-target": "target", "stop-service": "origin", "switch-servers": "origin"},
}

EXPECTED = {
    ("table", "bj: t_systemconf"): "My Networks was saved; BlueMind adds the target's own address",
    ("file", "/etc/postfix/main.cf"): "the same, in Postfix's configuration",
    ("file", "/etc/bm"): "bm.ini is copied a second time, as in the document: the folder's time is new",
}
"""What differs between origin and target after the migration, and why."""


def main() -> int:
    """Lab up, migrate, compare, lab down. Return the exit code."""
    lab = Lab(f"demo-{os.getpid()}", print)
    try:
        lab.up()
        code, folder = migrate(lab)
        if code == 0:
            found = unexpected(lab)
            for one in found[:20]:
                print(f"DIFFERS {one.kind} {one.name}\n  origin: {one.origin}\n  target: {one.target}")
            print(f"independent comparison: {len(found)} unexpected differences")
            code = 1 if found else 0
            print(beside(Journal(folder / "journal.jsonl")))
        print(f"notebook: {folder / 'notebook.ipynb'}")
        print(f"report: {report.write(folder)}")
        return code
    finally:
        lab.down()


def migrate(lab: Lab) -> tuple[int, Path]:
    """Run the procedure as `bmnb run` does, in a folder of this lab's own."""
    values = {
        **CLIENT,
        "runs": f"runs/{lab.name}",
        "address": lab.origin.address,
        "ssh_config": str(lab.ssh_config),
    }
    print(f"client file:\n{yaml.safe_dump(values, sort_keys=False)}")
    return headless.run(PROCEDURE, values, "demo", print)


def beside(journal: Journal) -> str:
    """The downtime, and beside it what the literal engine would have taken at least, by what this run measured.

    Of the literal engine's work in the downtime the fast one has done a part before, and measured it: each
    database's dump and import in the first hot pass, the list of all files. A file of the configuration
    takes a connection of its own.
    """
    stopped, answers = downtime(PROCEDURE, journal)
    if not (stopped and answers):
        return "no downtime: the run has not come that far"
    took = (datetime.fromisoformat(answers["time"]) - datetime.fromisoformat(stopped["time"])).total_seconds()
    hot = [line for line in journal.events("done") if line["action"].startswith("hot-synchronization.1/")]
    cold = [line for line in journal.events("done") if line["action"].startswith("cold-synchronization/")]
    imports = sum(line["seconds"] for line in hot if line["row"].get("restored"))
    listing = sum(line["row"].get("listing seconds", 0.0) for line in hot)
    connection = next(line["seconds"] for line in hot if line["title"] == OPEN_LINE)
    carried = max(line["seconds"] for line in cold if line["row"].get("tables") or line["row"].get("files"))
    literal = took - carried + imports + listing + len(CONFIGURATION) * connection
    return (
        f"downtime: {took:.0f} s with the fast engine; the literal one, by estimate, at least {literal:.0f} s: "
        f"dump and import {imports:.0f} s, list of files {listing:.1f} s, "
        f"{len(CONFIGURATION)} connections of {connection:.1f} s"
    )


def unexpected(lab: Lab) -> list[Difference]:
    """The differences that nothing explains; the origin is asked past its network, which it has lost."""
    lab.origin.must("systemctl start postgresql")
    found = compare(lab.origin.must, lab.target.must)
    return [one for one in found if (one.kind, one.name) not in EXPECTED]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BmnbError as error:
        sys.exit(f"{type(error).__name__}: {error}")
