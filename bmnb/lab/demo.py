"""`make demo`: a whole distribution change on the lab, headless, while the client's users work."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import yaml

from bmnb import headless, report
from bmnb.errors import BmnbError
from bmnb.journal import Journal
from bmnb.lab import literal
from bmnb.lab.compare import Difference, compare
from bmnb.lab.host import raise_at_sigterm
from bmnb.lab.platform import Lab
from bmnb.ledger import downtime_seconds, step_seconds
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.transfer.programs import postgres

CLIENT = {
    "client": "demo",
    "origin": "origin",
    "target": "target",
    "hot_passes": 2,
    "dry_run": False,
    "answers": {"erase-target": "target", "stop-service": "origin", "switch-servers": "origin"},
}

CARRYING = ("cold-synchronization", "dump-databases", "copy-configuration", "import-databases")
"""The steps of the downtime that carry data over."""

EXPECTED = {
    ("table", "bj: t_systemconf"): "My Networks was saved; BlueMind adds the target's own address",
    ("file", "/etc/postfix/main.cf"): "the same, in Postfix's configuration",
    ("file", "/etc/bm"): "bm.ini is copied a second time, as in the document: the folder's time is new",
}
"""What differs between origin and target after the migration, and why."""


def main() -> int:
    """Lab up, migrate, compare, lab down. Return the exit code."""
    raise_at_sigterm()
    lab = Lab(f"demo-{os.getpid()}", print)
    try:
        lab.up()
        code, folder = migrate(lab)
        if code == 0:
            found = unexpected(lab)
            for one in found[:20]:
                print(f"DIFFERS {one.kind} {one.name}\n  origin: {one.origin}\n  target: {one.target}")
            print(f"independent comparison: {len(found)} unexpected differences")
            print(beside_literal(lab, Journal(folder / "journal.jsonl")))
            code = 1 if found else 0
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


def beside_literal(lab: Lab, journal: Journal) -> str:
    """The downtime by the journal, and the part of it that the document's commands do otherwise, measured here."""
    fast = sum(seconds for step in CARRYING for seconds in step_seconds(journal, step))
    parts = literal.seconds(lab)
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in parts.items())
    downtime = downtime_seconds(PROCEDURE, journal) or 0.0
    return (
        f"downtime: {downtime:.0f} s, of which files, databases and configuration {fast:.1f} s; the document's "
        f"commands take at least {sum(parts.values()):.1f} s for these here ({told})"
    )


def unexpected(lab: Lab) -> list[Difference]:
    """The differences that nothing explains; the origin is asked past its network, which it has lost."""
    lab.origin.must(postgres.START_UNIT)
    found = compare(lab.origin.must, lab.target.must)
    return [one for one in found if (one.kind, one.name) not in EXPECTED]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BmnbError as error:
        sys.exit(f"{type(error).__name__}: {error}")
