"""Preparing for the update: configuration is saved, the repositories are opened."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.bluemind import own_files, wizard
from bmnb.packages.tool import keep, read_kept
from bmnb.procedures.updating_bluemind.everywhere import (
    everywhere,
    point_repositories,
    show_repositories,
    wait_for_others,
)
from bmnb.procedures.updating_bluemind.going_back import undo_prepare, undo_save
from bmnb.procedures.updating_bluemind.phases import PREPARING
from bmnb.procedures.updating_bluemind.settings import Settings
from bmnb.steps import Action, Command, step


@step("Save configuration files and packages", PREPARING, undo=undo_save)
def save_configuration(settings: Settings) -> Iterator[Action]:
    """Before the repositories move on: later they may not have the installed version any more."""
    yield everywhere(settings, own_files.save(settings.work), "save configuration, services and settings")
    yield Command(settings.core, wizard.note_databases(settings.work), "note the version of the databases")
    if settings.keep_packages:
        yield wait_for_others(settings)
        yield everywhere(
            settings,
            keep(settings.kept, settings.tool),
            "keep the installed packages",
            env=settings.tool.env,
            read=read_kept,
            remedy="where a package source cannot be read, mend or disable it; where the installed version is not to be had "
            "any more, have the repository offer it once more, or set keep_packages to false: "
            "then the backup alone is the way back",
        )


@step("System Management > Update BlueMind", PREPARING, undo=undo_prepare)
def prepare(settings: Settings) -> Iterator[Action]:
    yield from show_repositories(settings, "repository before")
    if settings.version:
        yield point_repositories(settings, settings.version, f"prepare for {settings.version}")
    yield from show_repositories(settings, "repository after")
