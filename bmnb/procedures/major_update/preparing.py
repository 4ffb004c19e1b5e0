"""Preparing for version 5: Tika's memory, and the subscription that opens its repositories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bmnb.bluemind import next_major as five
from bmnb.bluemind import subscription
from bmnb.procedures.major_update.phases import PREPARING
from bmnb.procedures.major_update.settings import Settings
from bmnb.procedures.updating_bluemind import preparing as updating
from bmnb.procedures.updating_bluemind.everywhere import show_repositories
from bmnb.procedures.updating_bluemind.going_back import undo_prepare
from bmnb.steps import TRUE_OR_FALSE, Action, Check, Command, Manual, step

save_configuration = replace(updating.save_configuration, phase=PREPARING)


def undo_subscription(settings: Settings) -> Iterator[Action]:
    """The former one first: whether that of 5 opens repositories of 4 is not published."""
    yield Manual(
        settings.core,
        "former-subscription",
        "install the subscription for version 4 again (Subscription management), or say who has seen that it still is",
    )
    yield from undo_prepare(settings)


prepare = replace(updating.prepare, phase=PREPARING, undo=undo_subscription)


def undo_tika_memory(settings: Settings) -> Iterator[Action]:
    for server in settings.everyone:
        yield Command(server, five.take_tika_memory_back(settings.work), "take Tika's memory back")


@step("Tika's memory", PREPARING, undo=undo_tika_memory)
def tika_memory(settings: Settings) -> Iterator[Action]:
    """It counts from Tika's next start on, which the update brings."""
    for server in settings.everyone:
        yield Command(
            server,
            five.give_tika_memory(settings.work),
            f"give Tika its memory in {five.TIKA}",
            when=five.has_tika(server),
        )


@step("Subscription for version 5", PREPARING, undo=undo_subscription)
def new_subscription(settings: Settings) -> Iterator[Action]:
    """Its repositories have other addresses. Whether the console takes it while 4 runs is not published: see BlueMind's letter with it."""
    core = settings.core
    yield Manual(
        core,
        "subscription-5",
        "install the subscription for version 5 (Subscription management), as BlueMind's letter with it says; say who has done it",
    )
    yield Check(
        core,
        subscription.ask(settings.tool.repository),
        subscription.valid,
        "valid subscription",
        subscription.REMEDY,
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        settings.everyone,
        subscription.show(settings.tool.repository),
        subscription.registered,
        "BlueMind's repository is registered",
        "install the subscription's file on every server, in the form and under the name in which BlueMind gives it",
    )
    yield from show_repositories(settings, "repository of the new subscription")
