"""Nothing is missing on the target: most of it is compared ahead, while the service is up, the rest before the switch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from shlex import quote

from bmnb.procedures.changing_distributions.gate import compared_places
from bmnb.procedures.changing_distributions.guarding import nothing_writes_still, queue_is_here
from bmnb.procedures.changing_distributions.phases import COLD, HOT
from bmnb.procedures.changing_distributions.services import start_postgresql
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.procedures.changing_distributions.surroundings import same
from bmnb.procedures.changing_distributions.synchronizing import carry_queue, ssh_for_rsync
from bmnb.steps import Action, Check, Command, Condition, Together, step
from bmnb.transfer import access, at_rest, configuration, databases, files, naming
from bmnb.transfer.placing import put
from bmnb.verification import databases as facts
from bmnb.verification import every_mailbox
from bmnb.verification import files as listing
from bmnb.verification.comparing import comparison


@step("Compare contents while the service is up", HOT, passes=lambda settings: 1)
def compare_ahead(settings: Settings) -> Iterator[Action]:
    """What is the same now, and has not changed by then, need not be read or compared in the downtime."""
    target, folder = settings.target, settings.work
    yield Together(tuple(_programs(settings)))
    yield Together((_contents(settings, "compare contents"), *_count_ahead(settings)))
    yield _copy_again(settings)
    copied = Condition(target, listing.was_copied_again(folder, listing.TREES), "nothing has differed")
    yield _contents(settings, "compare contents again", copied)
    yield Check(
        target,
        listing.show_differences(folder, listing.TREES),
        listing.same_content,
        "what was copied has the same content",
        "run this cell again: what differs is copied again, by content, and compared again",
        decision="accept-contents",
    )
    yield Together(
        tuple(
            Command(
                server,
                listing.look_at_names(settings.trees),
                listing.LOOK,
                read=listing.read_names,
                ensure=True,
            )
            for server in (settings.origin, target)
        )
    )


def _contents(settings: Settings, title: str, when: Condition | None = None) -> Command:
    percent, trees, _ = compared_places(settings)[listing.TREES]
    return Command(
        settings.target,
        listing.compare_ahead(settings.work, settings.origin, percent, trees),
        title,
        when=when,
        read=listing.read_sums,
        again=(comparison.LOST,),
        ensure=True,
    )


def _count_ahead(settings: Settings) -> Iterator[Command]:
    """Only where the target has a copy of the databases by now, which is the fast engine's."""
    if not settings.fast:
        return
    for database in settings.databases:
        for server, named in ((settings.origin, database), (settings.target, databases.imported(database))):
            yield Command(
                server,
                facts.count_ahead(settings.work, database, named, _oldest(settings, server)),
                f"read the rows of {database}",
                when=settings.fast.carries(database),
                ensure=True,
            )
        yield Command(
            settings.target,
            facts.tell_definitions(settings.work, settings.origin, database, databases.imported(database)),
            f"tell the definitions of {database}",
            when=settings.fast.carries(database),
            ensure=True,
        )


def _oldest(settings: Settings, server: str) -> str:
    """A line for the server that prints the number of the origin's PostgreSQL, which is not the newer one."""
    version = databases.SERVER_VERSION
    if server == settings.origin:
        return version
    return f"{access.ssh(settings.work)} root@{settings.origin} {quote(version)}"


def _compare(settings: Settings, out: str, title: str, when: Condition | None = None) -> Command:
    return Command(
        settings.target,
        listing.compare(settings.work, settings.origin, *compared_places(settings)[out], out),
        title,
        when=when,
        read=listing.read_sums,
        ensure=True,
    )


def _overlooked(settings: Settings) -> Iterator[Command]:
    target, folder, trees = settings.target, settings.work, listing.TREES
    if not (settings.fast and settings.fast.journal) or settings.proven_late:
        return
    yield from settings.fast.copy_overlooked(
        listing.has_differed(folder, trees), listing.settle(folder, trees)
    )
    copied = Condition(target, listing.was_copied_again(folder, trees), "nothing was overlooked")
    yield _compare(settings, trees, "compare the trees again", copied)


def _programs(settings: Settings) -> Iterator[Command]:
    both = (settings.origin, settings.target)
    yield from put(both, settings.work, listing.PROGRAMS, "the program that lists files")
    yield from put(both, settings.work, every_mailbox.PROGRAMS, "the program that knows Cyrus's mailboxes")


def _record(settings: Settings) -> Command:
    """After the switch every mailbox is looked at against it."""
    return Command(
        settings.target,
        every_mailbox.record(settings.work, settings.origin),
        "record every mailbox of the original server",
        when=Condition(settings.target, every_mailbox.CYRUS, every_mailbox.NO_CYRUS),
        ensure=True,
    )


def _remember(settings: Settings) -> Command:
    """Against it the switch proves that what was compared is what there is."""
    line, title = (
        at_rest.remember(settings.work, settings.databases),
        "start PostgreSQL, remember what was written until now",
    )
    return Command(settings.origin, line, title, ensure=True)


def _copy_again(settings: Settings) -> Command:
    return Command(
        settings.target,
        listing.copy_again(settings.work, settings.origin, settings.trees, listing.TREES),
        "copy again, by content, what differed before",
        when=Condition(
            settings.target, listing.has_differed(settings.work, listing.TREES), "nothing has differed yet"
        ),
        env=ssh_for_rsync(settings),
        ensure=True,
    )


def _now(settings: Settings) -> Condition | None:
    """Where the trees as a whole are proven later, they are so now where the engine has not compared what it sent."""
    if not settings.proven_late:
        return None
    otherwise = "what was sent was compared as it came; the whole copy is proven after the switch"
    return Condition(settings.target, f"test ! -e {settings.work}/fast-files", otherwise)


def _same_trees(settings: Settings) -> Iterator[Action]:
    origin, target, folder = settings.origin, settings.target, settings.work
    percent = settings.compare_content
    yield Check(
        (target, origin),
        (listing.show_differences(folder, listing.TREES), files.count(settings.trees)),
        partial(listing.no_tree_differs, percent),
        "files are the same",
        "run this cell again: what differs is copied again, by content, and compared again",
        when=_now(settings),
        decision="accept-files",
    )
    yield Check(
        target,
        listing.show_mail(folder, listing.TREES),
        listing.same_mail,
        "mail of every user is the same",
        "run this cell again: what differs is copied again, by content, and compared again",
        when=_now(settings),
        decision="accept-mail",
    )


@step("Verify that nothing is missing", COLD)
def verify_copy(settings: Settings) -> Iterator[Action]:
    """Files, mail and configuration by lists that both servers make, databases by facts and sums of rows."""
    origin, target, folder = settings.origin, settings.target, settings.work
    yield from nothing_writes_still(settings)
    yield Together((*_programs(settings), _remember(settings), start_postgresql(target)))
    yield _copy_again(settings)
    compared = [
        _compare(settings, out, f"compare the {out}", _now(settings) if out == listing.TREES else None)
        for out in compared_places(settings)
    ]
    told = [
        Command(
            server,
            facts.facts(folder, database, _oldest(settings, server)),
            f"facts of {database}",
            text=facts.FACTS,
            when=settings.where_it_is(database),
            ensure=True,
        )
        for server in (origin, target)
        for database in settings.databases
    ]
    told += [
        Command(
            target,
            facts.compare_definitions(folder, origin, database),
            f"compare the definitions of {database}",
            when=settings.where_it_is(database),
            ensure=True,
        )
        for database in settings.databases
    ]
    queue = [carry_queue(settings)] if settings.carry_forgotten else []
    done_with = settings.fast.end_journal() if settings.fast else ()
    yield Together((*compared, *told, *queue, *done_with, _record(settings)))
    yield from _overlooked(settings)
    yield from _same_trees(settings)
    yield Check(
        target,
        listing.show_differences(folder, "configuration"),
        partial(listing.nothing_differs, 100),
        "configuration is the same",
        "see who has changed the file that is named, and put it right on the target",
        decision="accept-configuration",
    )
    yield Check(
        (origin, target),
        naming.TRY_MAPS,
        naming.can_be_read,
        "Postfix of the target can read every map that its configuration names",
        "copy or make what is missing on the target, or take its name out of /etc/postfix/main.cf there",
        decision="accept-maps",
    )
    yield Check(
        target,
        configuration.changes(folder),
        configuration.what_changed,
        "what the origin's configuration changed on the target",
    )
    for database in settings.databases:
        yield Check(
            (origin, target, target),
            (*[facts.show(folder, database)] * 2, facts.show_definitions(folder, database)),
            partial(facts.same_facts, database),
            f"{database} is the same",
            "find out who has written; then import the origin's dump again, or accept it",
            when=settings.where_it_is(database),
            decision=f"accept-{database}",
        )
    yield same(settings)
    if settings.carry_forgotten:
        yield queue_is_here(settings)
