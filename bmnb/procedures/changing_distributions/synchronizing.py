"""Trees and the mail queue, by rsync from the target."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bmnb.procedures.changing_distributions.guarding import safe_to_delete
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.steps import Action, Command, Condition, Result, Row
from bmnb.transfer import access, files


def ssh_for_rsync(settings: Settings) -> dict[str, str]:
    return {"LC_ALL": "C.UTF-8", "RSYNC_RSH": access.ssh(settings.work)}


def synchronize(
    settings: Settings, accept: tuple[int, ...] = (0,), again: tuple[int, ...] = (), ensure: bool = False
) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    yield from safe_to_delete(settings)
    for tree in settings.trees:
        yield Command(
            target,
            files.synchronize(origin, tree),
            tree,
            when=Condition(origin, files.has_something(tree), "absent or empty on the origin"),
            env=ssh_for_rsync(settings),
            accept=accept,
            again=again,
            ensure=ensure,
            read=files.read_stats,
            parts=partial(_part, tree),
            remedy="rsync goes on where it stopped: mend the cause, then run this cell again",
        )


def _part(tree: str, told: Result) -> list[Row]:
    return [files.read_tree(tree, told)]


def carry_queue(settings: Settings) -> Command:
    return Command(
        settings.target,
        files.synchronize_queue(settings.origin),
        "mail in Postfix's queue",
        env=ssh_for_rsync(settings),
        read=files.read_stats,
        parts=partial(_part, files.SPOOL.rstrip("/")),
        remedy="run this cell again",
        ensure=True,
    )
