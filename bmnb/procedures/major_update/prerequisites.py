"""What BlueMind's page asks for before a major update, and what it says does not come along."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.bluemind import next_major as five
from bmnb.packages import judge
from bmnb.procedures.major_update.phases import LATEST
from bmnb.procedures.major_update.settings import Settings
from bmnb.procedures.updating_bluemind.everywhere import everywhere, point_repositories
from bmnb.procedures.updating_bluemind.going_back import undo_prepare
from bmnb.procedures.updating_bluemind.phases import PREREQUISITES
from bmnb.steps import TRUE_OR_FALSE, Action, Check, Manual, step


@step("What version 5 needs", PREREQUISITES)
def requirements_of_5(settings: Settings) -> Iterator[Action]:
    core, everyone = settings.core, settings.everyone
    yield Check(
        everyone,
        five.SHARE_OF_POSTGRESQL,
        five.less_than_half,
        f"{five.POSTGRESQL} is less than half full",
        "make room, or give it a larger file system: PostgreSQL goes from 14 to 16, and its data lies there twice meanwhile",
    )
    yield Check(
        everyone,
        five.ROOM_OF_ARCHIVE,
        five.room_for_archive,
        "with an archive, half of what the fast spool takes is free",
        "make room on the file system of the spool",
        when=five.has_archive(core),
    )
    yield Check(
        core,
        five.HARDWARE,
        five.large_enough,
        "hardware of the core",
        "version 5 needs 24 GB of memory at least, and from 5.5 on units by quota: see BlueMind's page on hardware "
        "requirements",
        decision="accept-hardware",
    )


@step("What does not come along", PREREQUISITES)
def not_carried_over(settings: Settings) -> Iterator[Action]:
    core = settings.core
    yield Manual(
        core,
        "not-migrated",
        "mails that were deleted from the trash and may still be recovered, and old drafts that are marked as deleted, "
        "are not migrated: say who has told the users, or has them recovered first",
    )
    yield Manual(
        core,
        "shared-mailboxes",
        "shared mailboxes and group folders of the old kind end with 5.6: say who has told the users, and what becomes of them",
        look=five.SHARED_MAILBOXES,
        tell=five.told_number,
    )
    yield Manual(
        core,
        "cas",
        "the configuration of CAS is not carried over, in 5 each domain has its own: write it down, and say who enters it "
        "after the update",
        when=five.has_cas(core),
    )


@step("No newer release of version 4", LATEST, undo=undo_prepare)
def latest_release(settings: Settings) -> Iterator[Action]:
    """With the subscription for version 4 still: repositories that are frozen would hide a newer release."""
    yield point_repositories(settings, "latest", "open the repositories to the latest release of 4")
    yield everywhere(
        settings,
        settings.tool.refresh,
        "read the lists of packages",
        ensure=True,
        env=settings.tool.env,
        remedy="see that the repository is reachable from this server and its signature is valid",
    )
    yield Check(
        settings.everyone,
        settings.tool.newer,
        judge.none_left,
        "version 4 is at its latest release",
        "update to it first, with the procedure “Updating BlueMind”; where version 5 is offered already, its subscription "
        "came too early: install the one for 4 again",
        answers=TRUE_OR_FALSE,
    )
