"""The phases of an update, by the headings of its document."""

from __future__ import annotations

from bmnb.steps import Phase

NOTHING_TOUCHED = "nothing: no package was touched"
PREREQUISITES = Phase("Prerequisites", back="there is nothing to undo", price=NOTHING_TOUCHED)
PREPARING = Phase(
    "Preparing for the update", back="the repositories are frozen on what is installed", price=NOTHING_TOUCHED
)
PRODUCTION = Phase(
    "Operations in production", back="the repositories are frozen on what is installed", price=NOTHING_TOUCHED
)
THE_BACKUP = "what users have done and mail that came in since the backup"
UPDATE = Phase(
    "Update procedure",
    downtime=True,
    back="the kept packages are put back; once the setup wizard has begun, a person restores the backup",
    price=f"nothing; once the setup wizard has begun, {THE_BACKUP}",
)
AFTERWARDS = Phase("After the update", back="a person restores the backup of every server", price=THE_BACKUP)

PHASES = (PREREQUISITES, PREPARING, PRODUCTION, UPDATE, AFTERWARDS)
