"""What the target may do on the origin with the run's key."""

from __future__ import annotations

from bmnb.bluemind.paths import DATABASES
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.steps import Command
from bmnb.transfer import access, databases, guards

LOGIN = "true"


def allow(settings: Settings, *more: str) -> Command:
    """Let the run's key read with rsync, and do the lines of this run; `more` are those of a step."""
    dumps = [
        line
        for database in DATABASES
        for line in (databases.dump_there(database), databases.table_under_way(database))
    ]
    return Command(
        settings.origin,
        access.write_gate(settings.work),
        "what the run's key is for",
        text=access.gate((LOGIN, guards.identity(settings.work), *dumps, *more)),
    )
