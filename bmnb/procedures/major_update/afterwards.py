"""After the major update: hot upgrades to their end, and what only a person can bring back."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.bluemind import next_major as five
from bmnb.procedures.major_update.settings import Settings
from bmnb.procedures.updating_bluemind.afterwards import follow_hot_upgrades
from bmnb.procedures.updating_bluemind.phases import AFTERWARDS
from bmnb.steps import Action, Manual, step


@step("Hot upgrades, to their end", AFTERWARDS)
def hot_upgrades_to_their_end(settings: Settings) -> Iterator[Action]:
    yield from follow_hot_upgrades.actions(settings)


@step("What is set by hand", AFTERWARDS)
def after_5(settings: Settings) -> Iterator[Action]:
    core = settings.core
    for server in settings.everyone:
        yield Manual(
            server,
            f"edge-nginx-{server}",
            f"correct the configuration of nginx on {server}, which BlueMind does not manage, by BlueMind's page on the major "
            "update; say who has seen it answer",
            when=five.unmanaged_nginx(server),
        )
    yield Manual(
        core,
        "known-problems",
        "read the known problems at the end of BlueMind's page on the major update; say who has, and what is to be done",
    )
