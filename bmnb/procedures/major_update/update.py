"""The maintenance of a major update: that of any update, and PostgreSQL's own update within it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bmnb.bluemind import eligibility, next_major
from bmnb.procedures.checks import done
from bmnb.procedures.major_update.phases import UPDATE
from bmnb.procedures.major_update.settings import Settings
from bmnb.procedures.updating_bluemind import update as updating
from bmnb.procedures.updating_bluemind.going_back import undo_upgrade
from bmnb.steps import TRUE_OR_FALSE, Action, Check, Condition, Manual, step


@step("Begin the maintenance", UPDATE)
def begin_maintenance(settings: Settings) -> Iterator[Action]:
    yield Check(
        settings.core,
        eligibility.fresh(settings.work),
        eligibility.is_fresh,
        "the eligibility test is of today",
        "what it has seen may be so no longer: the same command tests anew",
        reopens="test-again",
    )
    yield from updating.begin_maintenance.actions(settings)


def undo_major_upgrade(settings: Settings) -> Iterator[Action]:
    """Where PostgreSQL does not answer, nobody can tell what has become of the databases: then the backup comes first."""
    yield Manual(
        settings.core,
        "restore-backup-first",
        "PostgreSQL does not answer: start it if that is all it needs, else restore the full backup of every server that was "
        "named before the update; say who has done it",
        when=Condition(settings.core, next_major.POSTGRESQL_AWAY, "PostgreSQL answers"),
    )
    yield from undo_upgrade(settings)


upgrade = replace(updating.upgrade, phase=UPDATE, undo=undo_major_upgrade)
setup_wizard = replace(updating.setup_wizard, phase=UPDATE)
virtual_hosts = replace(updating.virtual_hosts, phase=UPDATE)


@step("PostgreSQL's own update", UPDATE)
def postgresql(settings: Settings) -> Iterator[Action]:
    """It goes on after the packages are there; how long it takes is not published."""
    for server in settings.everyone:
        yield Check(
            server,
            next_major.POSTGRESQL_AT_REST,
            done,
            "PostgreSQL's own update has ended",
            f"see journalctl -u {next_major.POST_UPGRADE}; while it works, run this cell again to go on waiting",
            patience=3600,
            answers=(*TRUE_OR_FALSE, 3),
        )
