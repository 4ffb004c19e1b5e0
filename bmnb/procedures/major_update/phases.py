"""The phases of a major update: those of an update, and what its page adds to them."""

from __future__ import annotations

from bmnb.procedures.updating_bluemind.phases import (
    AFTERWARDS,
    NOTHING_TOUCHED,
    PREREQUISITES,
    PRODUCTION,
    THE_BACKUP,
)
from bmnb.steps import Phase

LATEST = Phase(
    "Latest release of version 4",
    back="the repositories are frozen on what is installed",
    price=NOTHING_TOUCHED,
)
ELIGIBILITY = Phase(
    "Eligibility", back="there is nothing to undo: what was repaired stays so", price=NOTHING_TOUCHED
)
PREPARING = Phase(
    "Preparing for version 5",
    back="a person installs the former subscription again, and the repositories are frozen on what is installed",
    price=NOTHING_TOUCHED,
)
ANEW = Phase(
    "Eligibility, made anew",
    back="as from operations in production; what was repaired stays so",
    price=NOTHING_TOUCHED,
)
UPDATE = Phase(
    "Major update procedure",
    downtime=True,
    back="the kept packages are put back while the databases are those from before; once PostgreSQL or the setup "
    "wizard has changed them, a person restores the backup",
    price=f"nothing; once the databases have changed, {THE_BACKUP}",
)

PHASES = (PREREQUISITES, LATEST, ELIGIBILITY, PREPARING, PRODUCTION, ANEW, UPDATE, AFTERWARDS)
