"""Before the switch: nothing is missing on the target."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bmnb.bluemind.paths import DATABASES
from bmnb.procedures.changing_distributions.gate import compared_places
from bmnb.procedures.changing_distributions.guarding import nothing_writes
from bmnb.procedures.changing_distributions.phases import COLD
from bmnb.procedures.changing_distributions.services import start_postgresql
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.procedures.changing_distributions.synchronizing import carry_queue, queue_is_here, ssh_for_rsync
from bmnb.steps import Action, Check, Command, Condition, Together, step
from bmnb.transfer import configuration
from bmnb.verification import databases as facts
from bmnb.verification import files as listing


@step("Verify that nothing is missing", COLD)
def verify_copy(settings: Settings) -> Iterator[Action]:
    """Files, mail and configuration by lists that both servers make, databases by facts and sums of rows."""
    origin, target, folder = settings.origin, settings.target, settings.work
    yield from nothing_writes(settings)
    yield Together(
        tuple(
            command
            for server in (origin, target)
            for command in (
                Command(
                    server, listing.install(folder), "the program that lists files", text=listing.program()
                ),
                start_postgresql(server),
            )
        )
    )
    differed = Condition(target, listing.has_differed(folder, "trees"), "nothing has differed yet")
    yield Command(
        target,
        listing.copy_again(folder, origin, "trees"),
        "copy again, by content, what differed before",
        when=differed,
        env=ssh_for_rsync(settings),
        ensure=True,
    )
    percent = settings.compare_content
    compared = [
        Command(
            target,
            listing.compare(folder, origin, *where, out),
            f"compare the {out}",
            read=listing.read_sums,
            ensure=True,
        )
        for out, where in compared_places(settings).items()
    ]
    told = [
        Command(server, facts.facts(folder, database), f"facts of {database}", text=facts.FACTS, ensure=True)
        for server in (origin, target)
        for database in DATABASES
    ]
    yield Together((*compared, *told))
    yield Check(
        target,
        listing.show_differences(folder, "trees"),
        partial(listing.nothing_differs, percent),
        "files are the same",
        "run this cell again: what differs is copied again, by content, and compared again",
        decision="accept-files",
    )
    yield Check(
        target,
        listing.show_mail(folder, "trees"),
        listing.same_mail,
        "mail of every user is the same",
        "run this cell again: what differs is copied again, by content, and compared again",
        decision="accept-mail",
    )
    yield Check(
        target,
        listing.show_differences(folder, "configuration"),
        partial(listing.nothing_differs, 100),
        "configuration is the same",
        "see who has changed the file that is named, and put it right on the target",
        decision="accept-configuration",
    )
    yield Check(
        target,
        configuration.changes(folder),
        configuration.what_changed,
        "what the origin's configuration changed on the target",
    )
    for database in DATABASES:
        yield Check(
            (origin, target),
            facts.show(folder, database),
            partial(facts.same_facts, database),
            f"{database} is the same",
            "find out who has written; then import the origin's dump again, or accept it",
            decision=f"accept-{database}",
        )
    if settings.carry_forgotten:
        yield carry_queue(settings)
        yield queue_is_here(settings)
