"""The whole copy is proven once the target serves: what the frozen origin has, against what the target has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from bmnb.procedures.changing_distributions.gate import compared_places
from bmnb.procedures.changing_distributions.phases import POST_MIGRATION
from bmnb.procedures.changing_distributions.post_migration import look_at_every_mailbox
from bmnb.procedures.changing_distributions.services import stays_stopped
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.procedures.checks import nothing_printed
from bmnb.steps import Action, Check, Command, Condition, step
from bmnb.transfer import accepted, at_rest, files
from bmnb.transfer.placing import put
from bmnb.verification import files as listing

WAY_BACK = (
    "look at each path that is named: the original server has it as it was. What users have deleted or changed "
    "themselves since the start may be accepted. Where more is missing, the way back is bmnb rollback RUN, and costs the "
    "mail that the target has accepted since, which is listed first and kept"
)


@step("Prove that the whole copy is the same", POST_MIGRATION)
def verify_whole(settings: Settings) -> Iterator[Action]:
    """Only with `verify: after`: else it was proven before the switch."""
    if not settings.proven_late:
        return
    later = Condition(
        settings.target,
        f"test -e {settings.work}/fast-files",
        "the whole copy was proven before the switch",
    )
    for action in _prove(settings):
        yield replace(action, when=action.when or later)
    yield from look_at_every_mailbox(settings)


def _prove(settings: Settings) -> Iterator[Command | Check]:
    origin, target, folder = settings.origin, settings.target, settings.work
    yield from _frozen(settings)
    yield from put((origin, target), folder, listing.PROGRAMS, "the program that lists files")
    yield from _look(settings, "")
    missing = Condition(target, listing.is_to_bring(folder), "nothing is to be brought")
    yield Command(
        origin,
        f"umask 077; cat > {folder}/{listing.LATE}-bring",
        "tell the origin what is to be brought",
        feed=(target, listing.to_bring(folder)),
        when=missing,
        ensure=True,
    )
    yield Command(
        target,
        listing.bring_late(folder, accepted.began(folder)),
        "bring what differs, where nobody has touched it since the start",
        feed=(origin, listing.pack_late(folder)),
        when=missing,
        ensure=True,
    )
    brought = Condition(target, listing.was_brought(folder), "nothing was brought")
    for again in _look(settings, " again"):
        yield replace(again, when=brought)
    yield from _frozen(settings)
    yield Check(
        (target, origin),
        (listing.show_late(folder), files.count(settings.trees)),
        partial(listing.proven_whole, settings.compare_content),
        "the whole copy is the same as the frozen origin",
        WAY_BACK,
        decision="accept-late-proof",
    )
    yield Command(
        origin, f"rm -f {folder}/{listing.LATE}-*", "remove what the proof has worked with on the origin"
    )


def _frozen(settings: Settings) -> Iterator[Check]:
    """What the target is compared with is what was carried over."""
    stopped = replace(
        stays_stopped(settings.origin, reopens=""),
        remedy="find out who has started or enabled them, and stop them: users may have been served by both servers",
    )
    yield stopped
    yield Check(
        settings.origin,
        at_rest.changed_files(settings.work, settings.trees, gently=listing.GENTLY),
        nothing_printed,
        "no file of the origin has changed since the verification",
        "find out what has written there: the switch has left the original server without service",
    )


def _look(settings: Settings, again: str) -> Iterator[Command]:
    origin, target, folder = settings.origin, settings.target, settings.work
    percent, places, kept = compared_places(settings)[listing.TREES]
    yield Command(
        origin,
        f"umask 077; cat > {folder}/{listing.LATE}-known",
        f"tell the origin what was compared ahead{again}",
        feed=(target, listing.known_ahead(folder, places, kept)),
        ensure=True,
    )
    yield Command(
        target,
        listing.compare_late(folder, accepted.began(folder)),
        f"compare the whole copy with the frozen origin{again}",
        feed=(origin, listing.list_late(folder, percent, places, kept)),
        read=listing.read_sums,
        ensure=True,
    )
