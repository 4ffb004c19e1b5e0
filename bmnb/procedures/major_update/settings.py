"""What the consultant says about one major update: what is said about an update, less what is settled here."""

from __future__ import annotations

from dataclasses import dataclass

from bmnb.procedures.major_update.phases import PHASES
from bmnb.procedures.updating_bluemind import settings as updating
from bmnb.settings import setting
from bmnb.steps import slug
from bmnb.transfer import access


@dataclass(frozen=True)
class Settings(updating.Settings):
    version: str = setting(
        "latest",
        "version of 5 to prepare: latest, or one such as 5.6.2; empty where it was done in the console",
        label="Version",
    )
    full_upgrade: bool = setting(
        True,
        "also packages whose dependencies have changed, and the removal of those that 5 has no more",
        label="Full upgrade",
    )
    through: str = setting(
        "",
        "last phase to run, such as eligibility; empty runs all of them",
        label="Run through",
        choices={"all phases": "", **{phase.title: phase.name for phase in PHASES}},
    )

    @property
    def work(self) -> str:
        """Folder of this procedure's files on the servers."""
        return f"{access.WORK}/{slug(self.client)}-major-update"

    @property
    def to_major(self) -> str:
        return "5"

    @property
    def way_back(self) -> str:
        """In words, as it is from the first package on."""
        if not self.keep_packages:
            return "the way back is the backup"
        return (
            "until PostgreSQL or the setup wizard has changed the databases, `bmnb rollback` puts the former packages "
            "back; from then on the way back is the backup"
        )
