"""Test launch: BlueMind runs on the target with the client's data before the night, cut off, and leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.procedures.changing_distributions.phases import HOT
from bmnb.procedures.changing_distributions.services import stopped
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.procedures.checks import done, nothing_printed
from bmnb.steps import TRUE_OR_FALSE, Action, Check, Command, Condition, step
from bmnb.transfer import accepted, launch


def end_what_is_left(settings: Settings) -> Command:
    """What a launch that was broken off has left; its own unit ends it too, a minute later at the most."""
    return Command(
        settings.target,
        launch.end(),
        "end what is left of a test launch",
        when=Condition(settings.target, launch.is_left(), "no test launch is left"),
        ensure=True,
    )


def undo_test_launch(settings: Settings) -> Iterator[Action]:
    yield end_what_is_left(settings)


@step("Test launch on the target server", HOT, undo=undo_test_launch, passes=lambda settings: 1)
def test_launch(settings: Settings) -> Iterator[Action]:
    """Into the copied trees and databases nothing is written: BlueMind sees a layer above each of them."""
    if not (settings.test_launch and settings.fast):
        return
    origin, target, folder = settings.origin, settings.target, settings.work
    yield Check(
        target,
        f"test -e {folder}/fast-files && test -e {folder}/fast-databases",
        done,
        "the target has a copy of trees and databases",
        "a server lacks what the fast engine needs, as the hot synchronization says: leave `test_launch` out",
        answers=TRUE_OR_FALSE,
    )
    yield end_what_is_left(settings)
    yield stopped(target)
    yield Command(
        target,
        launch.begin(folder, settings.address, settings.trees),
        "a network without a way out, and layers to write into",
        read=launch.read,
        ensure=True,
    )
    yield Command(
        target,
        launch.carry_configuration(folder, origin, settings.carry_forgotten),
        "the original server's configuration, in the layers",
        ensure=True,
    )
    yield Check(
        target,
        launch.look_out(folder, origin),
        launch.is_cut_off,
        "before anything is started: nothing is in its reach",
        "nothing was started; run this cell again, or leave `test_launch` out",
    )
    yield Command(
        target, launch.start(folder, settings.databases), "start BlueMind", read=launch.read, ensure=True
    )
    yield Check(
        target,
        launch.STATUS,
        launch.runs,
        "BlueMind runs",
        "look at journalctl -u SERVICE on the target; it was ended, and the target is as it was",
        patience=300,
    )
    yield from _is_alone(settings)
    yield Command(
        target,
        accepted.install(folder),
        "the program that works in mailboxes",
        text=accepted.program(),
        ensure=True,
    )
    yield Check(
        target,
        launch.look(folder),
        launch.every_account,
        "every account can be looked at by IMAP",
        "see what is wrong with those that are named, on the original server too; the launch was ended",
        decision="accept-launch",
        patience=60,
    )
    yield Command(target, launch.stop(folder), "stop BlueMind", read=launch.read, ensure=True)
    yield Command(target, launch.end(), "remove network and layers", ensure=True)
    yield stopped(target)
    yield Check(
        target,
        launch.left(),
        nothing_printed,
        "nothing of the launch is left",
        "run this cell again",
        patience=30,
    )


def _is_alone(settings: Settings) -> Iterator[Check]:
    """While it runs: from the target's own network, from the origin, and at the client's address."""
    yield Check(
        settings.target,
        launch.strangers(settings.work),
        nothing_printed,
        "no process of it has the server's network, and Postfix is stopped",
        "it was ended; tell the project which process is named",
    )
    yield Check(
        settings.origin,
        launch.listening(),
        nothing_printed,
        "nothing of it answers on the target's address",
        "stop on the target what answers there",
        feed=(settings.target, launch.own_address(settings.address)),
    )
    yield Check(
        settings.target,
        f"ip -o address show to {settings.address}",
        nothing_printed,
        "the client's address is the original server's alone",
        "take the address off the target",
    )
