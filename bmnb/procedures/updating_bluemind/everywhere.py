"""What is done on all servers side by side, and with their repositories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bmnb.bluemind import api, releases, subscription
from bmnb.procedures.updating_bluemind.settings import Settings
from bmnb.steps import Call, Command, Condition, Together


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


def complete(settings: Settings) -> Iterator[Command]:
    """Complete what an interrupted package manager has left on any server."""
    tool = settings.tool
    for server in settings.everyone:
        yield Command(
            server,
            tool.recover,
            "complete what an interrupted update has left",
            when=Condition(server, f"({tool.broken}) | grep -q .", "nothing is half installed"),
            env=tool.env,
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


def point_repositories(settings: Settings, version: str, title: str) -> Call | Command:
    """Point every server's repository to a version, after BlueMind's own checks."""
    core = settings.core
    when = releases.has_preparing(core)
    remedy = "BlueMind's own checks refuse it: see /var/log/bm/core.log"
    if settings.prepare_by == "bm-cli":
        return Command(core, f"bm-cli setup version {version}", title, when=when, remedy=remedy)
    return Call(core, "POST", f"{api.PREPARE}?version={version}", title, when=when, remedy=remedy)


def freeze_repositories(settings: Settings) -> Call | Command:
    return point_repositories(settings, "current", "freeze the repositories on what is installed")
