"""What the document's own commands would have taken of a downtime: measured on a lab that has migrated."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

from bmnb.bluemind.paths import DATABASES, TREES
from bmnb.lab.host import call
from bmnb.lab.platform import Lab

POSTGRES = "cd / && runuser -u postgres --"


def seconds(lab: Lab) -> dict[str, float]:
    """Seconds of the trees' comparison, without what changed and without ssh, of dumps and of imports."""
    return {
        "synchronization": _timed(lambda: _compare(lab)),
        "dump": _timed(lambda: _dump(lab)),
        "import": _timed(lambda: _import(lab)),
    }


def _timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _compare(lab: Lab) -> None:
    for tree in TREES:
        source, copy = (server.root / tree[1:] for server in (lab.origin, lab.target))
        if source.is_dir():
            call("rsync", "-aHn", "--delete", f"{source}/", f"{copy}/")


def _dump(lab: Lab) -> None:
    for database, file in DATABASES.items():
        lab.origin.must(f"{POSTGRES} pg_dump {database} > /root/{file}")


def _import(lab: Lab) -> None:
    for database, file in DATABASES.items():
        shutil.copyfile(lab.origin.root / "root" / file, lab.target.root / "root" / file)
        lab.target.must(
            f"{POSTGRES} createdb -T template0 -E UTF8 literal-{database} && "
            f"{POSTGRES} psql -Xq -o /dev/null -v ON_ERROR_STOP=1 literal-{database} < /root/{file} && "
            f"{POSTGRES} dropdb literal-{database}"
        )
