"""Preparing for the update: configuration is saved, the repositories are opened."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.bluemind import api, own_files, releases
from bmnb.procedures.updating_bluemind.everywhere import everywhere, freeze_repositories, show_repositories
from bmnb.procedures.updating_bluemind.phases import PREPARING
from bmnb.procedures.updating_bluemind.settings import Settings
from bmnb.steps import Action, Call, step


@step("Save configuration files", PREPARING)
def save_configuration(settings: Settings) -> Iterator[Action]:
    yield everywhere(settings, own_files.save(settings.work), "save configuration, services and settings")


def undo_prepare(settings: Settings) -> Iterator[Action]:
    yield freeze_repositories(settings)


@step("System Management > Update BlueMind", PREPARING, undo=undo_prepare)
def prepare(settings: Settings) -> Iterator[Action]:
    core = settings.core
    yield from show_repositories(settings, "repository before")
    if settings.version:
        yield Call(
            core,
            "POST",
            f"{api.PREPARE}?version={settings.version}",
            f"prepare for {settings.version}",
            remedy="BlueMind's own checks refuse it: see /var/log/bm/core.log",
            when=releases.has_preparing(core),
        )
    yield from show_repositories(settings, "repository after")
