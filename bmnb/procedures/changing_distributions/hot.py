"""Hot synchronization: the service is up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from operator import attrgetter

from bmnb.bluemind.paths import dump_of
from bmnb.procedures.changing_distributions import swapped
from bmnb.procedures.changing_distributions.guarding import safe_to_delete, same_servers
from bmnb.procedures.changing_distributions.launching import end_what_is_left
from bmnb.procedures.changing_distributions.phases import HOT
from bmnb.procedures.changing_distributions.services import (
    own_time,
    restart,
    start_postgresql,
    stays_stopped,
    stop,
    stopped,
)
from bmnb.procedures.changing_distributions.settings import BEFORE, Settings
from bmnb.procedures.changing_distributions.surroundings import carry_roles, put_roles_back
from bmnb.procedures.changing_distributions.synchronizing import synchronize
from bmnb.steps import Action, Command, Manual, step
from bmnb.transfer import configuration, databases, files, guards, naming, write_rate
from bmnb.verification import files as listing


def undo_stop_target(settings: Settings) -> Iterator[Action]:
    """The target stays stopped, since its trees hold the origin's data."""
    target, folder = settings.target, settings.work
    if settings.fast:
        yield from settings.fast.end_replication()
    yield from stop(target)
    yield Command(target, files.put_queue_aside(folder), "take the mail out of its queue, and keep it")
    yield Command(target, naming.remove(folder), "remove the files that the origin's configuration names")
    yield Command(target, configuration.restore(folder), "put its own configuration back")
    yield Command(target, "newaliases", "/etc/aliases.db")
    yield start_postgresql(target)
    yield Command(target, databases.put_back(settings.databases), "put its own databases back")
    yield Command(target, databases.adopt_password(), "password of the role bj, from bm.ini")
    for database in settings.databases:
        yield Command(target, databases.drop_given_up(database), f"drop the imported {database}")
        yield Command(target, f"rm -f {folder}/{dump_of(database)}", f"remove the dump of {database}")
    yield put_roles_back(settings)


@step("Stop services on the target server", HOT, undo=undo_stop_target)
def stop_target(settings: Settings) -> Iterator[Action]:
    target = settings.target
    yield Manual(
        target,
        "erase-target",
        f"BlueMind on {target} stops, and its data is replaced by that of {settings.origin}",
        expect=target,
        look=swapped.what_goes(settings.databases, settings.trees),
        tell=partial(swapped.erased, settings.trees),
    )
    yield same_servers(settings)
    yield Command(settings.origin, write_rate.remember(settings.work), "remember what it has written so far")
    yield from map(own_time, (settings.origin, target))
    yield from stop(target)
    yield stopped(target)
    if settings.restart_target == BEFORE:
        yield from restart(target, settings.work, settings.trees)
        remedy = "find out what starts them with the server, then run this cell again"
        yield replace(stays_stopped(target, reopens=""), remedy=remedy)


@step("Synchronize BlueMind data while the service is up", HOT, passes=attrgetter("hot_passes"))
def hot_synchronization(settings: Settings) -> Iterator[Action]:
    origin, folder = settings.origin, settings.work
    yield end_what_is_left(settings)
    yield stopped(settings.target)
    yield Command(origin, write_rate.measure(folder), "measure how much it writes", read=write_rate.read)
    yield Command(origin, listing.mark_first_pass(folder), "remember the time of the first pass")
    yield Command(
        settings.target,
        databases.remember(folder),
        "remember which databases there are",
        feed=(origin, databases.named(settings.databases)),
        ensure=True,
    )
    yield Command(origin, guards.mark_trees(folder, settings.trees), "remember what is mounted where")
    if settings.fast:
        yield from safe_to_delete(settings)
        yield from settings.fast.hot_pass(*carry_roles(settings, settings.fast.carries_databases()))
    else:
        yield from synchronize(settings, accept=(0, files.VANISHED), again=files.BROKEN_OFF)
