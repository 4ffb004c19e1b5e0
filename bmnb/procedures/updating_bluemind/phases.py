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
    "Update procedure", downtime=True, back="a person restores the backup of every server", price=THE_BACKUP
)
AFTERWARDS = Phase("After the update", back="a person restores the backup of every server", price=THE_BACKUP)

PHASES = (PREREQUISITES, PREPARING, PRODUCTION, UPDATE, AFTERWARDS)

WAY_BACK = (
    "packages can be put back in their former version only as long as the setup wizard has not changed the "
    "databases; from then on the way back is the backup"
)
