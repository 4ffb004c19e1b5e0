"""What must still be so before anything is copied over or deleted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bmnb.bluemind import proofs
from bmnb.procedures.changing_distributions.services import stopped
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.procedures.checks import nothing_printed
from bmnb.steps import Action, Check
from bmnb.transfer import files, guards


def nothing_writes(settings: Settings) -> Iterator[Check]:
    for server in (settings.origin, settings.target):
        yield stopped(server)
        yield Check(
            server,
            proofs.open_files(settings.trees),
            nothing_printed,
            f"no process of {server} has a file of the trees open",
            "stop the process that is named, then run this cell again",
            patience=30,
        )


def no_session(settings: Settings) -> Check:
    return Check(
        settings.origin,
        guards.SESSIONS,
        nothing_printed,
        "no session on the databases",
        "stop the program that is named, then run this cell again",
        patience=30,
    )


def same_servers(settings: Settings) -> Check:
    who = guards.identity(settings.work)
    over_there = guards.over_there(settings.work, settings.origin, who)
    return Check(
        (settings.origin, settings.target, settings.target),
        (who, who, over_there),
        guards.same_servers,
        "both servers are those of the beginning",
        "see that both names and the address lead to the right servers; nothing was copied",
    )


def trees_are_there(settings: Settings) -> Check:
    return Check(
        (settings.origin, settings.target),
        files.count(settings.trees),
        partial(files.all_there, tuple(settings.known_empty)),
        "the trees are there",
        "mount the tree, mend the link, or name the tree under known_empty if it is rightly empty",
    )


def same_trees(settings: Settings) -> Check:
    return Check(
        settings.origin,
        guards.compare_trees(settings.work, settings.trees),
        nothing_printed,
        "the trees are those of the first pass",
        "mount what is missing; if it is rightly so, remove the file `trees` in the run's folder there",
    )


def safe_to_delete(settings: Settings) -> Iterator[Action]:
    yield same_servers(settings)
    yield trees_are_there(settings)
    yield same_trees(settings)
    yield Check(
        (settings.origin, settings.target),
        guards.sizes(settings.trees),
        partial(guards.not_much_smaller, tuple(settings.known_smaller)),
        "no tree is much smaller than its copy",
        "see what is missing on the origin; if nothing is, name the tree under known_smaller",
    )
