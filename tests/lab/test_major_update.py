"""From 4.9 to 5 on three servers: what refuses it, the eligibility test and its repairs, the way back, and all of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bmnb.lab import Lab
from bmnb.lab.server import Server
from bmnb.procedures import major_update as procedure
from tests.lab.migration import BMNB, finish, journal, write_client
from tests.lab.platform import MAILBOX, OUTSIDE, values

pytestmark = pytest.mark.lab

BOOT = Lab.up_for_update
OPTIONS = {"bluemind": "4.9-last"}
OLD, NEW = "4.9.4012", "5.1.8120"
LIST = "/etc/apt/sources.list.d/bm.list"
TOLD = "the operator of the lab"
ANSWERS = {
    "backup": "snapshots of the lab, seen by its maker",
    "start-update": "core",
    **dict.fromkeys(("not-migrated", "shared-mailboxes", "points-of-caution", "known-problems"), TOLD),
    "eligible": f"read by {TOLD}",
}
INELIGIBLE = "/etc/bmnb-ineligible"


@pytest.fixture(scope="module", autouse=True)
def _disk_of_its_own(lab: Lab) -> None:
    """PostgreSQL's data on a file system that nobody else fills."""
    lab.server("core").must(
        "systemctl stop postgresql && cp -a /var/lib/postgresql /root/ && "
        "mount -t tmpfs -o size=800m tmpfs /var/lib/postgresql && cp -aT /root/postgresql /var/lib/postgresql && "
        "rm -r /root/postgresql && systemctl start postgresql && bmctl start"
    )


def version(server: Server) -> str:
    return server.must("dpkg-query -W -f '${Version}' bm-node")


def accepted(said: str) -> dict[str, str]:
    """What a run asks to have accepted, accepted."""
    return {
        key: f"{seen} {TOLD}, as it should be"
        for key, seen in re.findall(r"answer `([a-z-]+): ([0-9a-f]{8}) NAME, REASON`", said)
    }


def run(lab: Lab, runs: Path, answers: dict[str, str], **more: Any) -> tuple[int, str]:
    given = {**values(lab, runs, test_outside=OUTSIDE), "answers": answers, **more}
    return finish(write_client(runs, given), procedure.PROCEDURE)
