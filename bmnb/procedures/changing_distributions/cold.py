"""Cold synchronization: from here to the switch nobody is served."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bmnb.bluemind import api
from bmnb.bluemind.paths import ADDED_CONFIGURATION, CONFIGURATION, DATABASES, POSTFIX_MAPS, dump_of
from bmnb.procedures.changing_distributions.guarding import (
    STOP,
    no_session,
    nothing_writes,
    nothing_writes_still,
    queue_is_here,
    same_servers,
    same_trees,
    trees_are_there,
)
from bmnb.procedures.changing_distributions.launching import end_what_is_left
from bmnb.procedures.changing_distributions.phases import COLD
from bmnb.procedures.changing_distributions.services import (
    running,
    start_postgresql,
    stays_stopped,
    stop,
    stop_again,
)
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.procedures.changing_distributions.surroundings import carry_databases, carry_roles
from bmnb.procedures.changing_distributions.synchronizing import (
    carry_queue,
    ssh_for_rsync,
    synchronize,
)
from bmnb.procedures.checks import nothing_printed
from bmnb.steps import Action, Call, Check, Command, Condition, Manual, Together, step
from bmnb.transfer import configuration, databases, guards, naming
from bmnb.transfer.engine import Fast


def undo_stop_services(settings: Settings) -> Iterator[Action]:
    origin = settings.origin
    yield Command(origin, "systemctl enable bluemind.target postfix", "enable the services")
    yield start_postgresql(origin)
    yield Command(origin, "bmctl start", "start BlueMind", ensure=True)
    yield Command(origin, "systemctl start postfix", "start Postfix", ensure=True)
    yield running(origin)
    yield Call(origin, "GET", api.STATE, "BlueMind's state", judge=api.is_running, patience=600)


@step("Stop services on the servers (original and target)", COLD, undo=undo_stop_services)
def stop_services(settings: Settings) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    yield Manual(
        origin,
        "stop-service",
        f"users of {origin} are cut off until {target} answers in its place; "
        f"the way back is to enable and start the services of {origin}, where nothing is changed",
        expect=origin,
    )
    yield same_servers(settings)
    yield end_what_is_left(settings)
    if settings.fast:
        yield from settings.fast.stop((*stop(origin), *stop_again(target)))
    else:
        yield from (*stop(origin), *stop(target))
    yield from nothing_writes(settings)


@step("Synchronize the data again", COLD)
def cold_synchronization(settings: Settings) -> Iterator[Action]:
    origin, mark = settings.origin, f"{settings.work}/cold-mark"
    if settings.fast:
        yield from _cold_synchronization(settings, settings.fast)
        return
    yield from nothing_writes_still(settings)
    yield Command(origin, f"touch {mark} && sleep 0.1", "remember the time", ensure=True)
    yield from synchronize(settings, ensure=True)
    yield Check(
        origin,
        guards.changed_since(mark, settings.trees),
        nothing_printed,
        "no file has changed meanwhile",
        "find out what writes the files that are named, stop it, then run this cell again",
    )
    if settings.carry_forgotten:
        yield carry_queue(settings)
        yield queue_is_here(settings)


def _cold_synchronization(settings: Settings, engine: Fast) -> Iterator[Action]:
    """What the fast engine does here at once is the document's copy, dump and import."""
    yield Together((engine.have_answers(), *engine.take_back()))
    yield from nothing_writes_still(settings)
    yield same_servers(settings)
    yield trees_are_there(settings)
    yield same_trees(settings)
    yield no_session(settings)
    yield from engine.cold_pass(*([carry_queue(settings)] if settings.carry_forgotten else []))
    if settings.carry_forgotten:
        yield queue_is_here(settings)


@step("Dump the databases of the original server", COLD)
def dump_databases(settings: Settings) -> Iterator[Action]:
    origin, target, folder = settings.origin, settings.target, settings.work
    if settings.fast:
        yield from settings.fast.dump()
        return
    yield start_postgresql(origin)
    yield stays_stopped(origin, STOP)
    yield no_session(settings)
    yield Together(
        tuple(
            Command(
                target,
                databases.dump(folder, origin, database, dump_of(database)),
                f"dump {database}",
                gauge=databases.dumped(folder, origin, database, dump_of(database)),
                when=settings.where_it_is(database),
                ensure=True,
            )
            for database in settings.databases
        )
    )
    for database in settings.databases:
        yield Check(
            target,
            databases.dump_end(folder, dump_of(database)),
            databases.dump_complete,
            f"the dump of {database} is complete",
            "look for free space on the target and for errors in PostgreSQL's log on the original server",
            when=settings.where_it_is(database),
        )


@step("Copy the original server's files to the target server", COLD)
def copy_configuration(settings: Settings) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    if settings.fast:
        yield from settings.fast.configuration()
        return
    yield stays_stopped(origin, STOP)
    yield same_servers(settings)
    yield Command(target, configuration.save(settings.work), "save the target's own files first")
    rebuilt = [path for path in CONFIGURATION if path not in POSTFIX_MAPS]
    for path in (*rebuilt, *(ADDED_CONFIGURATION if settings.carry_forgotten else ())):
        yield Command(
            target,
            configuration.copy(origin, path),
            path,
            when=Condition(origin, configuration.exists(path), "absent on the origin"),
            env=ssh_for_rsync(settings),
        )
    for path in POSTFIX_MAPS:
        flat = path.replace(".db", "-flat")
        yield Command(
            target,
            configuration.rebuild_map(path),
            path,
            when=Condition(origin, configuration.exists(flat), "absent on the origin"),
        )
    if settings.carry_forgotten:
        yield Command(
            target,
            naming.copy(settings.work, origin, settings.carry_forgotten),
            "files in /etc/postfix that the configuration names",
        )
        yield Command(target, naming.MAKE_MAPS, "maps of those files")
        yield Command(target, "newaliases", "/etc/aliases.db")


@step("Import the databases into the target server", COLD)
def import_databases(settings: Settings) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    starts = (start_postgresql(origin), start_postgresql(target))
    password = Command(target, databases.adopt_password(), "password of the role bj, from bm.ini")
    place = Command(target, databases.put_in_place(settings.databases), "put the imported databases in place")
    if settings.fast:
        yield Together((*starts, *settings.fast.end_replication()))
        yield from carry_roles(settings)
        yield from settings.fast.imports()
        yield from carry_databases(settings)
        yield Together((password, place))
        return
    yield from (*starts, password)
    yield stays_stopped(origin, STOP)
    yield Command(
        target, databases.take_back(settings.databases), "take back what an earlier import has put in place"
    )
    yield from carry_roles(settings)
    yield from _import(settings)
    yield from carry_databases(settings)
    yield place
    for database in settings.databases:
        yield Check(
            (origin, target),
            databases.count_rows(database),
            databases.same_rows,
            f"rows per table of {database}",
            "keep the target's services stopped and compare the tables that are named",
            when=settings.where_it_is(database),
        )


def _import(settings: Settings) -> Iterator[Action]:
    for database in settings.databases:
        there = settings.where_it_is(database)
        for one in _import_one(settings, database):
            yield replace(one, when=there)


def _import_one(settings: Settings, database: str) -> Iterator[Command]:
    target, folder, file = settings.target, settings.work, dump_of(database)
    alike = databases.create_alike(folder, settings.origin, database)
    create = databases.create(database) if database in DATABASES else alike
    yield Command(target, databases.drop_unfinished(database), f"drop an unfinished import of {database}")
    yield Command(target, create, f"create {database}")
    yield Command(target, databases.set_time_zone(database), f"time zone of {database}")
    yield Command(
        target,
        databases.import_dump(folder, database, file),
        f"import {database}",
        gauge=databases.import_read(folder, database, file),
    )
    yield Command(target, databases.analyze(database), f"statistics of {database}")
