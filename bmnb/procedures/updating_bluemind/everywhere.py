"""What is done on all servers side by side, and with their repositories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bmnb.bluemind import api, releases, subscription
from bmnb.procedures.updating_bluemind.settings import Settings
from bmnb.steps import Call, Command, Together


def everywhere(settings: Settings, line: str, title: str, **more: Any) -> Together:
    """The same command on all servers, side by side."""
    return Together(tuple(Command(server, line, title, **more) for server in settings.everyone))


def wait_for_others(settings: Settings) -> Together:
    return everywhere(
        settings,
        settings.tool.wait,
        "no other package manager is at work",
        remedy="end it, or wait, then run this cell again",
        ensure=True,
    )


def show_repositories(settings: Settings, title: str) -> Iterator[Command]:
    for server in settings.everyone:
        yield Command(
            server,
            subscription.show(settings.tool.repository),
            title,
            read=subscription.read_repository,
        )


def freeze_repositories(settings: Settings) -> Call:
    return Call(
        settings.core,
        "POST",
        f"{api.PREPARE}?version=current",
        "freeze the repositories on what is installed",
        when=releases.has_preparing(settings.core),
    )
