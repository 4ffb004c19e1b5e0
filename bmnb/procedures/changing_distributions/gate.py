"""What the target may do on the origin with the run's key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bmnb.bluemind.paths import ADDED_CONFIGURATION, CONFIGURATION, POSTFIX_MAPS
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.steps import Command
from bmnb.transfer import access, configuration, databases, fast, files, guards, naming
from bmnb.transfer.surroundings import carrying
from bmnb.verification import databases as facts
from bmnb.verification import every_mailbox
from bmnb.verification import files as listing


def allow(settings: Settings) -> Command:
    """Let the run's key read with rsync, and do the lines of this run."""
    lines, around = [*_lines(settings)], list[access.Around]()
    if settings.fast:
        lines += fast.lines_there(settings.work, settings.trees, settings.carry_forgotten, settings.databases)
        around += fast.lines_around(settings.work, settings.databases)
        if settings.fast.replicate:
            lines += fast.lines_of_replication(settings.work, settings.databases)
            around += [fast.line_around_of_replication(settings.work)]
    return Command(
        settings.origin,
        access.write_gate(settings.work),
        "what the run's key is for",
        text=access.gate(lines, around, _paths(settings)),
    )


def _paths(settings: Settings) -> Iterator[str]:
    """What rsync reads there."""
    yield from files.read_there(settings.trees)
    yield from map(configuration.read_there, (*CONFIGURATION, *ADDED_CONFIGURATION))
    yield naming.READ_THERE


def withdraw_key(settings: Settings, title: str = "withdraw the run's key") -> Command:
    return Command(settings.origin, access.withdraw_key(settings.work, settings.address), title)


def _lines(settings: Settings) -> Iterator[str]:
    """What it does there with both engines."""
    yield access.LOGIN
    yield guards.identity(settings.work)
    for database in settings.databases:
        yield databases.dump_there(database)
        yield databases.table_under_way(database)
        yield facts.definitions_there(database)
        yield databases.locale_there(database)
    yield databases.SERVER_VERSION
    yield carrying.roles_there()
    yield carrying.databases_there(settings.databases)
    if settings.carry_forgotten:
        yield naming.list_there(settings.carry_forgotten)
    yield every_mailbox.there(settings.work)
    compared = compared_places(settings)
    for where in compared.values():
        yield listing.list_there(settings.work, *where)
    percent, trees, _ = compared[listing.TREES]
    yield listing.list_ahead(settings.work, percent, trees)


def compared_places(settings: Settings) -> dict[str, tuple[int, Sequence[str], Sequence[str]]]:
    """What is compared at the end: how much of it by content, the places, and those that may hold more."""
    trees = [tree for tree in settings.trees if tree not in settings.known_empty]
    added = tuple(ADDED_CONFIGURATION) if settings.carry_forgotten else ()
    paths = [path for path in (*CONFIGURATION, *added) if path not in POSTFIX_MAPS]
    return {
        listing.TREES: (settings.compare_content, trees, settings.known_empty),
        "configuration": (100, (), [*map(listing.followed, paths)]),
    }
