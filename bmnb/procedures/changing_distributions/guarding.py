"""What must still be so before anything is copied over or deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from bmnb.bluemind import proofs
from bmnb.bluemind.paths import ADDED_CONFIGURATION, CONFIGURATION
from bmnb.procedures.changing_distributions.services import stays_stopped, stopped
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.procedures.checks import nothing_printed
from bmnb.steps import ANY, Action, Check
from bmnb.transfer import at_rest, databases, files, guards

STOP = "stop-services"
"""The step from which all is done again where the origin's services were started since."""
VERIFY = "verify-copy"


def nothing_writes(settings: Settings) -> Iterator[Check]:
    for server in (settings.origin, settings.target):
        yield stopped(server)
        yield _no_open_file(settings, server)


def nothing_writes_still(settings: Settings) -> Iterator[Check]:
    """As an earlier step has left it; who has paused since does not know what happened meanwhile."""
    for server in (settings.origin, settings.target):
        yield stays_stopped(server, STOP)
        yield _no_open_file(settings, server)


def _no_open_file(settings: Settings, server: str) -> Check:
    return Check(
        server,
        proofs.open_files(settings.trees),
        nothing_printed,
        f"no process of {server} has a file of the trees open",
        "stop the process that is named, then run this cell again",
        patience=30,
    )


def still_as_verified(settings: Settings) -> Iterator[Check]:
    """Before the address moves: what was compared is what there is."""
    yield from nothing_writes_still(settings)
    yield replace(no_session(settings), patience=5)
    globs = [*CONFIGURATION, *(ADDED_CONFIGURATION if settings.carry_forgotten else ())]
    yield Check(
        settings.origin,
        # the late proof looks at every name of the trees
        at_rest.changed(
            settings.work, () if settings.proven_late else settings.trees, globs, settings.databases
        ),
        nothing_printed,
        "nothing has changed on the origin since the verification",
        "find out who has changed what is named: it is carried over again",
        reopens=STOP,
    )
    if settings.carry_forgotten:
        yield replace(queue_is_here(settings), reopens=VERIFY)


def no_session(settings: Settings) -> Check:
    return Check(
        settings.origin,
        databases.sessions(settings.databases),
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
        "see that both names and the address lead to the right servers, and that the run's key is still allowed "
        "on the origin; nothing more was done. The way back is open: bmnb rollback RUN",
        answers=ANY,
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


def queue_is_here(settings: Settings) -> Check:
    return Check(
        (settings.origin, settings.target),
        guards.queue(),
        guards.same_queue,
        "mail that waits in Postfix's queue is on the target",
        "it came meanwhile: run this cell again",
    )
