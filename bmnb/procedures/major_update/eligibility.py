"""The eligibility test, which is mandatory, and the repairs that it proposes; made anew before the maintenance."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bmnb.bluemind import eligibility as five
from bmnb.procedures.major_update.phases import ANEW, ELIGIBILITY
from bmnb.procedures.major_update.settings import Settings
from bmnb.steps import Action, Check, Command, Condition, Gauge, Manual, step


@step("Eligibility test", ELIGIBILITY)
def test_eligibility(settings: Settings) -> Iterator[Action]:
    core, folder = settings.core, settings.work
    yield from _until_it_passes(core, folder, "test-eligibility")
    yield Manual(
        core,
        "eligible",
        "how the test words its result is not published: read its last lines, and say who has read that the platform is eligible",
        look=five.show(folder),
        tell=five.last_words,
    )


@step("Eligibility test, again", ANEW)
def test_again(settings: Settings) -> Iterator[Action]:
    """What held days ago, when the platform was prepared, may hold no longer."""
    yield from _until_it_passes(settings.core, settings.work, "test-again")


def _until_it_passes(core: str, folder: str, step_name: str) -> Iterator[Action]:
    """Test, have what it proposes accepted command by command, do it, test again; where that fails, all of it anew."""
    yield _test(core, folder)
    for one in five.REPAIRS:
        yield Check(
            core,
            five.show(folder),
            partial(five.commands, one),
            f"the test asks for nothing: {one.title}",
            "read what the test says; these very commands are run once they are accepted",
            decision=one.key,
        )
    yield Check(
        core,
        five.show(folder),
        five.others,
        "the test asks for nothing else",
        "this procedure does not run what it does not know: run it by hand, then say so",
        decision="repaired-by-hand",
    )
    for one in five.REPAIRS:
        yield Command(
            core,
            five.mend(one, folder),
            one.title,
            when=five.proposes(one, core, folder),
            remedy=f"see what it said, and {folder}/{five.REPORT}; the same command goes on from here",
        )
    yield _test(
        core,
        folder,
        when=Condition(
            core,
            f"[ \"$(cat {folder}/{five.REPORT}.status)\" != 0 ] || grep -q 'bm-cli ' {folder}/{five.REPORT}",
            "the test has passed at once",
        ),
    )
    yield Check(
        core,
        five.show(folder),
        five.passes,
        "the platform is eligible for version 5",
        "mend what the test says, with BlueMind's support where it proposes nothing; the same command tests anew",
        reopens=step_name,
        decision="accept-eligibility",
    )


def _test(core: str, folder: str, when: Condition | None = None) -> Command:
    """It may take more than an hour, and loads the server."""
    return Command(
        core,
        five.run(folder),
        "test whether the platform may be updated to 5",
        when=when,
        gauge=Gauge(at=five.at(folder)),
        remedy="bm-cli does not know the test, or is not there: install bm-plugin-cli-setup, and the latest release of 4",
    )
