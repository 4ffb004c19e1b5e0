"""What the databases need of PostgreSQL on both servers: compared before anything is stopped, then carried."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.procedures.checks import done
from bmnb.steps import ANY, TRUE_OR_FALSE, Action, Check, Command, Condition
from bmnb.transfer import databases as pg
from bmnb.transfer.surroundings import asking, carrying, needs, reaching


def prerequisites(settings: Settings) -> Iterator[Action]:
    for server in (settings.origin, settings.target):
        yield from _reached(server)
    yield from _versions(settings)
    yield from _databases(settings)
    yield from _needs(settings)


def _reached(server: str) -> Iterator[Check]:
    yield Check(
        server,
        reaching.ANSWERS,
        reaching.answers,
        f"PostgreSQL of {server} answers",
        "start PostgreSQL where it does not answer: systemctl start postgresql; its log says why it has stopped",
        answers=(0, 1, 2, 3),
    )
    yield Check(
        server,
        reaching.LETS_IN,
        reaching.let_in,
        f"PostgreSQL of {server} lets its own administrator in",
        "have the system's user postgres let in over the local socket, by the line `local all postgres peer` before the "
        "others in the file that is named; then systemctl reload postgresql",
        when=Condition(server, f"{reaching.ANSWERS} -q || exit 1", "it does not answer"),
        answers=ANY,
    )


def _versions(settings: Settings) -> Iterator[Check]:
    both = (settings.origin, settings.target)
    yield Check(
        both,
        reaching.SAME,
        reaching.one_cluster,
        "BlueMind's PostgreSQL is the one at the usual port",
        "see to port and password in /etc/bm/bm.ini and to the lines on localhost in pg_hba.conf; where another cluster "
        "has port 5432, give it another one: this procedure asks there",
        answers=ANY,
    )
    yield Check(
        both,
        pg.SERVER_VERSION,
        pg.not_older,
        "PostgreSQL of the target is not older",
        "choose a newer distribution for the target",
    )
    yield Check(
        both,
        reaching.PROGRAMS,
        partial(reaching.programs, settings.engine == "literal"),
        "PostgreSQL's programs fit the servers",
        "install the client programs that belong to PostgreSQL there, up to date: postgresql-client, or postgresql",
    )


def _databases(settings: Settings) -> Iterator[Check]:
    origin, target = settings.origin, settings.target
    for server in (origin, target):
        yield Check(
            server,
            pg.ENCODINGS,
            pg.utf8_en_us,
            f"databases of {server} are UTF8, en_US",
            "bj and bj-data must be there, in UTF8 and en_US.UTF-8",
        )
    yield Check(
        (origin, target),
        reaching.WHICH_KEYCLOAK,
        partial(reaching.keycloak_is, settings.keycloak_database),
        "Keycloak's database",
        "set keycloak_database to its name on the origin; where the target has none, give that server the tag "
        "bm/keycloak in its administration console, which makes it",
    )
    yield Check(
        origin,
        reaching.OTHERS,
        partial(reaching.no_others, settings.databases),
        "no other database on the origin",
        "databases that are named are not BlueMind's and not in this procedure: have them carried over by hand, or accept "
        "that they stay. The origin stays as it is",
        decision="leave-databases",
    )
    yield Check(
        target,
        "locale -a | grep -ix 'en_US.utf-\\?8'",
        done,
        "locale en_US.UTF-8 on the target",
        "dpkg-reconfigure locales",
        answers=TRUE_OR_FALSE,
    )


def _needs(settings: Settings) -> Iterator[Check]:
    both, ask = (settings.origin, settings.target), asking.ask(settings.databases)
    yield Check(
        both,
        ask,
        needs.extensions,
        "extensions of the databases can be installed on the target",
        "install on the target the package that brings the extension's .control file, in the origin's version or a newer one",
    )
    yield Check(
        both,
        ask,
        needs.tablespaces,
        "tablespaces of the databases are on the target",
        "make it on the target, on a file system with room for it, with the line that is named",
    )
    yield Check(
        (*both, settings.target),
        (ask, ask, "locale -a"),
        needs.locales,
        "locales and collations of the databases are on the target",
        "dpkg-reconfigure locales, then systemctl restart postgresql on the target",
    )
    yield Check(
        (*both, *both),
        (ask, ask, needs.LIBRARY, needs.LIBRARY),
        needs.collation_versions,
        "indexes on texts were made as the origin sorts now",
        "on the original server, where few are at work: REINDEX DATABASE, then ALTER DATABASE or ALTER COLLATION … REFRESH "
        "VERSION of what is named; or accept it: what a unique index has let in by mistake would end the import",
        decision="accept-collations",
    )
    yield Check(both, ask, needs.roles, "roles of the databases, which are carried")
    yield Check(
        both,
        ask,
        needs.not_carried,
        "nothing of the databases is left behind",
        "see whether BlueMind needs what is named: it is not carried; then accept that",
        decision="accept-not-carried",
    )


def carry_roles(settings: Settings, when: Condition | None = None) -> Iterator[Command]:
    """Before a dump is imported, which names them."""
    target, folder = settings.target, settings.work
    yield Command(
        target, carrying.keep_roles(folder), "keep how the target's roles are", when=when, ensure=True
    )
    line = carrying.carry(folder, settings.origin, carrying.roles_there())
    yield Command(target, line, "roles, with their grants and settings", when=when, ensure=True)


def carry_databases(settings: Settings) -> Iterator[Command]:
    """Once they are imported, and before they are in place."""
    there = carrying.databases_there(settings.databases)
    line = carrying.carry(settings.work, settings.origin, there)
    yield Command(
        settings.target, line, "owner, rights, limits, comments and settings of the databases", ensure=True
    )


def put_roles_back(settings: Settings) -> Command:
    return Command(settings.target, carrying.put_roles_back(settings.work), "put its own roles back")


def same(settings: Settings) -> Check:
    return Check(
        (settings.origin, settings.target),
        asking.ask(settings.databases),
        needs.same,
        "roles, rights, settings and publications are the same",
        "see what PostgreSQL of the target does not take; make it by hand there, or accept that it stays as it is",
        decision="accept-surroundings",
    )
