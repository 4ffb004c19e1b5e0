"""Changing distributions: BlueMind moves from an origin server to a target server.

Source: the page "Changing distributions" of BlueMind's documentation; its headings are the phases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from bmnb.bluemind import api, proofs, services
from bmnb.bluemind.paths import (
    ADDED_CONFIGURATION,
    ADDED_TREES,
    CONFIGURATION,
    DATABASES,
    POSTFIX_MAPS,
    TREES,
)
from bmnb.procedures import prerequisites as must
from bmnb.procedures.common import RunSettings, platform_problems
from bmnb.procedures.deviations import CHANGING_DISTRIBUTIONS
from bmnb.settings import setting
from bmnb.steps import Action, Call, Check, Command, Condition, Manual, Phase, Procedure, Together, slug, step
from bmnb.transfer import accepted, access, address, configuration, databases, files, guards
from bmnb.transfer.engine import Fast
from bmnb.verification import databases as facts
from bmnb.verification import files as listing

TO_SERVICE = "the origin's services start again, where nothing was changed; "
TO_TARGET = "the target gets its own databases and configuration back and stays stopped"
ITS_MAIL = (
    "the mail that the target has accepted since; it is counted and listed first, and kept on the target"
)

PREREQUISITES = Phase("Prerequisites", back="the run's key is withdrawn", price="nothing")
HOT = Phase(
    "Hot synchronization",
    back="the run's key is withdrawn; the target stays stopped",
    price="nothing on the origin; the target's own mail is gone",
)
COLD = Phase(
    "Cold synchronization",
    downtime=True,
    back=TO_SERVICE + TO_TARGET,
    price="the downtime until then, and the minute in which services start",
)
SWITCHING = Phase(
    "Switching servers",
    downtime=True,
    back="the target stops, the address goes back to the origin; " + TO_SERVICE + TO_TARGET,
    price=ITS_MAIL,
)
POST_MIGRATION = Phase(
    "Post-migration",
    back="the target stops, the address goes back to the origin; " + TO_SERVICE + "the target stays stopped",
    price=ITS_MAIL,
)


PHASES = (PREREQUISITES, HOT, COLD, SWITCHING, POST_MIGRATION)


@dataclass(frozen=True)
class Settings(RunSettings):
    client: str = setting(
        "example", "name of the client; part of the run's folder name", label="Client", form=False
    )
    origin: str = setting(
        "origsrv.domain.tld",
        "original server, as ssh on this machine knows it",
        label="Original server",
        server=True,
    )
    target: str = setting(
        "targetsrv.domain.tld",
        "target server, as ssh on this machine knows it",
        label="Target server",
        server=True,
    )
    address: str = setting(
        "192.0.2.10",
        "address of the original server, which the target server takes over",
        label="Address",
        unit="IPv4",
    )
    hot_passes: int = setting(
        1,
        "number of hot synchronizations before the service is stopped",
        label="Hot synchronizations",
        unit="passes",
    )
    make_key: bool = setting(
        True, "make a key pair for this run where the target's root cannot log in", label="Make a key pair"
    )
    known_empty: list[str] = setting(
        [],
        "trees that are empty on the original server, and rightly so",
        label="Empty trees",
        unit="one a line",
    )
    known_smaller: list[str] = setting(
        [],
        "trees that may be much smaller than on the target server",
        label="Smaller trees",
        unit="one a line",
    )
    carry_forgotten: bool = setting(
        True, "carry also what the document forgets, where it exists", label="Carry what is forgotten"
    )
    compare_content: int = setting(
        100,
        "percent of the files compared by content beside those that changed",
        label="Compare content",
        unit="%",
    )
    engine: str = setting(
        "literal",
        "how data is carried over: literal as in the document, or fast, on trial",
        label="Engine",
        choices={"fast": "fast", "literal, as in the document": "literal"},
    )
    streams: int = setting(
        0,
        "streams side by side of the fast engine; 0: one a core of the target, up to four",
        label="Streams",
    )
    restart_target: bool = setting(
        True, "restart the target server when it has the address", label="Restart the target server"
    )
    keep_reachable: bool = setting(
        True,
        "keep the original server in the target's reach, for the way back",
        label="Keep the original server reachable",
    )
    my_networks: str = setting(
        "",
        "new value of My Networks; empty keeps the value of the original server",
        label="My Networks",
    )
    through: str = setting(
        "",
        "last phase to run, such as hot-synchronization; empty runs all of them",
        label="Last phase",
        choices={"all phases": "", **{phase.title: phase.name for phase in PHASES}},
    )

    @property
    def work(self) -> str:
        """Folder of this run's files on the servers: dumps, saved configuration, key."""
        return f"{access.WORK}/{slug(self.client)}"

    @property
    def fast(self) -> Fast | None:
        """The fast engine; None where the literal one is to do it."""
        if self.engine != "fast":
            return None
        return Fast(self.origin, self.target, self.work, self.trees, self.carry_forgotten, self.streams)

    @property
    def trees(self) -> tuple[str, ...]:
        return TREES + (tuple(ADDED_TREES) if self.carry_forgotten else ())

    def problems(self) -> list[str]:
        """What is wrong with the values, each in one line."""
        servers = {"origin": self.origin, "target": self.target}
        found = platform_problems(self.client, self.address, servers)
        if self.origin == self.target:
            found.append("origin and target are the same server")
        if self.hot_passes < 1:
            found.append("hot_passes: at least 1")
        if self.engine not in ("fast", "literal"):
            found.append(f"engine: {self.engine!r} is not one of fast, literal")
        if self.streams < 0:
            found.append("streams: at least 0")
        if not 0 <= self.compare_content <= 100:
            found.append("compare_content: from 0 to 100")
        found += self.common_problems()
        found += [
            f"{name}: {tree} is not one of the trees"
            for name, trees in (("known_empty", self.known_empty), ("known_smaller", self.known_smaller))
            for tree in trees
            if tree not in self.trees
        ]
        return found


def _rsync(settings: Settings) -> dict[str, str]:
    return {"LC_ALL": "C.UTF-8", "RSYNC_RSH": access.ssh(settings.work)}


@step("Prerequisites on both servers", PREREQUISITES)
def prerequisites(settings: Settings) -> Iterator[Action]:
    """Everything is checked before anything is touched, and reported at once."""
    origin, target = settings.origin, settings.target
    yield from must.servers(origin, target, settings.address)
    yield from must.bluemind(origin, target)
    yield from must.databases(origin, target)
    yield from must.files(origin, target, settings.trees, tuple(settings.known_empty))
    yield from must.login(target, settings.address, settings.make_key)


def undo_key_authentication(settings: Settings) -> Iterator[Action]:
    yield Command(settings.origin, access.withdraw_key(settings.work), "withdraw the run's key")
    yield Command(
        settings.target, f"rm -f {settings.work}/key {settings.work}/key.pub", "remove the run's key"
    )


@step(
    "The target system's root user can log in on the original server",
    PREREQUISITES,
    undo=undo_key_authentication,
)
def key_authentication(settings: Settings) -> Iterator[Action]:
    origin, target, folder = settings.origin, settings.target, settings.work
    login = f"{access.ssh(folder)} root@{origin} true"
    missing = Condition(target, f"! {login} 2> /dev/null", "root can log in already")
    for server in (origin, target):
        yield Command(server, access.set_aside(folder), "set aside what an earlier run has left")
    yield Command(
        target,
        access.write_ssh_config(folder, origin, settings.address),
        "ssh configuration of this run, with the original server's host keys",
        feed=(origin, access.HOST_KEYS),
    )
    if settings.make_key:
        yield Command(target, access.make_key(folder), "make a key pair for this run", when=missing)
        yield Command(
            origin,
            access.allow_key(),
            "allow that key, from the target system only",
            when=missing,
            feed=(target, access.show_key(folder, settings.address)),
        )
    yield Check(target, login, must.done, "log in as root on the original server", must.KEY_REMEDY)
    yield Command(origin, guards.remember(folder, "origin"), "remember which machine and installation it is")
    yield Command(target, guards.remember(folder, "target"), "remember which machine and installation it is")


def undo_stop_target(settings: Settings) -> Iterator[Action]:
    """The target stays stopped, since its trees hold the origin's data."""
    target, folder = settings.target, settings.work
    yield from _stop(target)
    yield Command(target, files.put_queue_aside(folder), "take the mail out of its queue, and keep it")
    yield Command(target, configuration.restore(folder), "put its own configuration back")
    yield Command(target, "newaliases", "/etc/aliases.db")
    yield _start_postgresql(target)
    yield Command(target, databases.put_back(list(DATABASES)), "put its own databases back")
    yield Command(target, databases.adopt_password(), "password of the role bj, from bm.ini")
    for database, file in DATABASES.items():
        yield Command(target, databases.drop_given_up(database), f"drop the imported {database}")
        yield Command(target, f"rm -f {folder}/{file}", f"remove the dump of {database}")


@step("Stop services on the target server", HOT, undo=undo_stop_target)
def stop_target(settings: Settings) -> Iterator[Action]:
    target = settings.target
    yield Manual(
        target,
        "erase-target",
        f"BlueMind on {target} stops, and its data is replaced by that of {settings.origin}",
        expect=target,
    )
    yield from _stop(target)
    yield _stopped(target)


@step("Synchronize BlueMind data while the service is up", HOT, passes="hot_passes")
def hot_synchronization(settings: Settings) -> Iterator[Action]:
    origin, folder = settings.origin, settings.work
    yield _stopped(settings.target)
    yield Command(origin, listing.mark_first_pass(folder), "remember the time of the first pass")
    yield Command(origin, guards.mark_trees(folder, settings.trees), "remember what is mounted where")
    if settings.fast:
        yield from _safe_to_delete(settings)
        yield from settings.fast.hot_pass()
    else:
        yield from _synchronize(settings, accept=(0, files.VANISHED), again=files.BROKEN_OFF)


def undo_stop_services(settings: Settings) -> Iterator[Action]:
    origin = settings.origin
    yield Command(origin, "systemctl enable bluemind.target postfix", "enable the services")
    yield _start_postgresql(origin)
    yield Command(origin, "bmctl start", "start BlueMind", ensure=True)
    yield Command(origin, "systemctl start postfix", "start Postfix", ensure=True)
    yield _running(origin)
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
    stops = [command for server in (origin, target) for command in _stop(server)]
    yield from settings.fast.stop(stops) if settings.fast else stops
    yield from _nothing_writes(settings)


@step("Synchronize the data again", COLD)
def cold_synchronization(settings: Settings) -> Iterator[Action]:
    origin, mark = settings.origin, f"{settings.work}/cold-mark"
    yield from _nothing_writes(settings)
    if settings.fast:
        yield from _cold_synchronization(settings, settings.fast)
        return
    yield Command(origin, f"touch {mark} && sleep 0.1", "remember the time", ensure=True)
    yield from _synchronize(settings, ensure=True)
    yield Check(
        origin,
        guards.changed_since(mark, settings.trees),
        must.nothing_printed,
        "no file has changed meanwhile",
        "find out what writes the files that are named, stop it, then run this cell again",
    )
    if settings.carry_forgotten:
        yield _carry_queue(settings)
        yield _queue_is_here(settings)


def _cold_synchronization(settings: Settings, engine: Fast) -> Iterator[Action]:
    """What the fast engine does here at once is the document's copy, dump and import."""
    yield _same_servers(settings)
    yield _trees_are_there(settings)
    yield _same_trees(settings)
    yield _no_session(settings)
    yield from engine.cold_pass(*([_carry_queue(settings)] if settings.carry_forgotten else []))
    if settings.carry_forgotten:
        yield _queue_is_here(settings)


def _carry_queue(settings: Settings) -> Command:
    return Command(
        settings.target,
        files.synchronize_queue(settings.origin),
        "mail in Postfix's queue",
        env=_rsync(settings),
        read=files.read_stats,
        remedy="run this cell again",
        ensure=True,
    )


def _queue_is_here(settings: Settings) -> Check:
    return Check(
        (settings.origin, settings.target),
        guards.queue(),
        guards.same_queue,
        "mail that waits in Postfix's queue is on the target",
        "it came meanwhile: run this cell again",
    )


def _no_session(settings: Settings) -> Check:
    return Check(
        settings.origin,
        guards.SESSIONS,
        must.nothing_printed,
        "no session on the databases",
        "stop the program that is named, then run this cell again",
        patience=30,
    )


@step("Dump the databases of the original server", COLD)
def dump_databases(settings: Settings) -> Iterator[Action]:
    origin, target, folder = settings.origin, settings.target, settings.work
    if settings.fast:
        yield from settings.fast.dump()
        return
    yield _start_postgresql(origin)
    yield _no_session(settings)
    yield Together(
        tuple(
            Command(
                target,
                databases.dump(folder, origin, database, file),
                f"dump {database}",
                gauge=databases.dumped(folder, file),
                ensure=True,
            )
            for database, file in DATABASES.items()
        )
    )
    for database, file in DATABASES.items():
        yield Check(
            target,
            databases.dump_end(folder, file),
            databases.dump_complete,
            f"the dump of {database} is complete",
            "look for free space on the target and for errors in PostgreSQL's log on the original server",
        )


@step("Copy the original server's files to the target server", COLD)
def copy_configuration(settings: Settings) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    if settings.fast:
        yield from settings.fast.configuration()
        return
    yield _same_servers(settings, installation=False)
    yield Command(target, configuration.save(settings.work), "save the target's own files first")
    rebuilt = [path for path in CONFIGURATION if path not in POSTFIX_MAPS]
    for path in (*rebuilt, *(ADDED_CONFIGURATION if settings.carry_forgotten else ())):
        yield Command(
            target,
            configuration.copy(origin, path),
            path,
            when=Condition(origin, configuration.exists(path), "absent on the origin"),
            env=_rsync(settings),
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
        yield Command(target, "newaliases", "/etc/aliases.db")


@step("Import the databases into the target server", COLD)
def import_databases(settings: Settings) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    starts = (_start_postgresql(origin), _start_postgresql(target))
    password = Command(target, databases.adopt_password(), "password of the role bj, from bm.ini")
    place = Command(target, databases.put_in_place(list(DATABASES)), "put the imported databases in place")
    if settings.fast:
        yield Together(starts)
        yield from settings.fast.imports()
        yield Together((password, place, *settings.fast.forget(origin)))
        return
    yield from (*starts, password)
    yield from _import(settings)
    yield place
    for database in DATABASES:
        yield Check(
            (origin, target),
            databases.count_rows(database),
            databases.same_rows,
            f"rows per table of {database}",
            "keep the target's services stopped and compare the tables that are named",
        )


def _import(settings: Settings) -> Iterator[Action]:
    target, folder = settings.target, settings.work
    for database, file in DATABASES.items():
        yield Command(target, databases.drop_unfinished(database), f"drop an unfinished import of {database}")
        yield Command(target, databases.create(database), f"create {database}")
        yield Command(target, databases.set_time_zone(database), f"time zone of {database}")
        yield Command(
            target,
            databases.import_dump(folder, database, file),
            f"import {database}",
            gauge=databases.import_read(folder, file),
        )
        yield Command(target, databases.analyze(database), f"statistics of {database}")


@step("Verify that nothing is missing", COLD)
def verify_copy(settings: Settings) -> Iterator[Action]:
    """Files, mail and configuration by lists that both servers make, databases by facts and sums of rows."""
    origin, target, folder = settings.origin, settings.target, settings.work
    yield from _nothing_writes(settings)
    for server in (origin, target):
        yield Command(server, listing.install(folder), "the program that lists files", text=listing.program())
        yield _start_postgresql(server)
    differed = Condition(target, listing.has_differed(folder, "trees"), "nothing has differed yet")
    yield Command(
        target,
        listing.copy_again(folder, origin, "trees"),
        "copy again, by content, what differed before",
        when=differed,
        env=_rsync(settings),
        ensure=True,
    )
    percent = settings.compare_content
    trees = [tree for tree in settings.trees if tree not in settings.known_empty]
    added = tuple(ADDED_CONFIGURATION) if settings.carry_forgotten else ()
    paths = [path for path in (*CONFIGURATION, *added) if path not in POSTFIX_MAPS]
    compared = [
        Command(
            target,
            listing.compare(folder, origin, percent, trees, settings.known_empty, "trees"),
            "compare the trees",
            read=listing.read_sums,
            ensure=True,
        ),
        Command(
            target,
            listing.compare(folder, origin, 100, (), paths, "configuration"),
            "compare the configuration",
            read=listing.read_sums,
            ensure=True,
        ),
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
    for database in DATABASES:
        yield Check(
            (origin, target),
            facts.show(folder, database),
            facts.same_facts,
            f"{database} is the same",
            "find out who has written; then import the origin's dump again, or accept it",
            decision=f"accept-{database}",
        )
    if settings.carry_forgotten:
        yield _carry_queue(settings)
        yield _queue_is_here(settings)


def undo_stop_origin(settings: Settings) -> Iterator[Action]:
    """Where the origin is out of reach, the program on its console makes it reachable again."""
    origin, folder = settings.origin, settings.work
    if not settings.keep_reachable:
        yield Manual(
            origin,
            "origin-is-back",
            f"on the console of {origin}: bash {folder}/give-back",
        )
    yield Command(
        origin,
        address.give_back(folder, settings.address),
        f"give {settings.address} back, tell the neighbours",
        moves_to=origin,
    )
    yield Check(
        origin, address.held(settings.address), must.something_printed, f"the origin has {settings.address}"
    )
    for server, own in zip((origin, settings.target), address.parked(settings.address), strict=True):
        yield Command(server, address.unpark(own), f"take {own} off")


@step("Stop the original server", SWITCHING, once=True, undo=undo_stop_origin)
def stop_origin(settings: Settings) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    yield Manual(
        origin,
        "switch-servers",
        f"{origin} loses its address {settings.address} to {target}; "
        "from then on the way back costs the mail that the target will have accepted",
        expect=origin,
    )
    last = (
        Command(origin, access.withdraw_key(settings.work), "withdraw the run's key"),
        Command(origin, address.save(settings.work), "save the network configuration"),
        Command(
            origin, address.remember(settings.work, settings.address), "remember the address's interface"
        ),
        Command(
            origin,
            f"umask 077; cat > {settings.work}/give-back",
            "the way back as a program, for its console",
            text=address.give_back(settings.work, settings.address),
        ),
    )
    yield from [Together(last)] if settings.fast else last
    if settings.keep_reachable:
        yield from _keep_reachable(settings)
    yield Command(
        origin,
        address.take_off(settings.address),
        f"take {settings.address} off",
        farewell=not settings.keep_reachable,
    )
    yield Check(
        target,
        address.nobody_holds(settings.address),
        address.free,
        f"nobody answers for {settings.address}",
        "look on the console of the original server whether it still has the address",
        patience=60,
    )


def undo_take_over_address(settings: Settings) -> Iterator[Action]:
    target = settings.target
    yield Command(
        target,
        address.give_up(settings.work, settings.address),
        f"take {settings.address} off",
        farewell=True,
        moves_to=target,
    )
    yield Check(
        target,
        f"! {address.held(settings.address)} | grep -q .",
        must.done,
        f"the target is off {settings.address}",
        patience=60,
    )


@step(
    "Reconfigure the target server with the original server's IP address",
    SWITCHING,
    once=True,
    undo=undo_take_over_address,
)
def take_over_address(settings: Settings) -> Iterator[Action]:
    target = settings.target
    yield Command(target, address.save(settings.work), "save the network configuration")
    yield Command(
        target,
        address.take_over(settings.address),
        f"take {settings.address} over, tell the neighbours",
        moves_to=settings.address,
    )
    yield Check(
        target, address.held(settings.address), must.something_printed, f"the target has {settings.address}"
    )


def undo_restart_target(settings: Settings) -> Iterator[Action]:
    """The price first, then the target stops, then what it accepted until then is kept."""
    target, folder = settings.target, settings.work
    yield Check(
        target,
        accepted.show(folder, settings.trees),
        partial(accepted.price, folder),
        "mail that the target has accepted",
    )
    yield Manual(
        target,
        "give-up-target",
        f"{target} stops, {settings.origin} takes its place again as it was at the switch; the mail above is "
        "kept on the target, and what waited in the queue may be sent twice",
        expect=target,
    )
    yield from _stop(target)
    yield _stopped(target)
    yield Command(target, accepted.keep(folder, settings.trees), "keep that mail")
    if settings.keep_reachable:
        own, other = reversed(address.parked(settings.address))
        yield Command(target, address.park(settings.address, own, other), "keep the origin in reach")


@step("Restart the target server", SWITCHING, undo=undo_restart_target)
def restart_target(settings: Settings) -> Iterator[Action]:
    target, folder = settings.target, settings.work
    if settings.restart_target:
        yield Command(target, proofs.reboot(folder), "restart", farewell=True)
        yield Check(target, proofs.rebooted(folder), must.done, "the target is back", patience=600)
        yield Check(
            target,
            address.held(settings.address),
            must.something_printed,
            f"it has {settings.address}",
            patience=60,
        )
    nginx = Condition(
        target, f"test -x {configuration.CONFIGURE_NGINX}", "no configure-nginx.sh on the target"
    )
    yield Command(target, accepted.mark(folder), "remember when it begins to serve")
    yield Command(target, configuration.CONFIGURE_NGINX, "virtual hosts of the client's domains", when=nginx)
    starts = (
        Command(target, proofs.RESTART_NGINX, "nginx with the copied certificate"),
        Command(target, "systemctl enable bluemind.target postfix", "enable the services"),
        Command(target, "bmctl start", "start BlueMind", ensure=True),
        Command(target, "systemctl start postfix", "start Postfix", ensure=True),
        Command(target, address.announce(settings.address), "tell the neighbours again", ensure=True),
    )
    yield from [Together(starts)] if settings.fast else starts
    yield _running(target)
    yield Call(target, "GET", api.STATE, "BlueMind's state", judge=api.is_running, patience=600)


@step("Save Security > Firewall", POST_MIGRATION)
def save_firewall(settings: Settings) -> Iterator[Action]:
    target = settings.target
    version4, version5 = proofs.version(target, 4), proofs.version(target, 5)
    yield Command(target, proofs.mark_time(settings.work), "remember the time")
    yield Call(
        target, "POST", api.FIREWALL, "regenerate the firewall's rules (4.x)", task=True, when=version4
    )
    yield Command(
        target, "bm-cli maintenance update-fw", "regenerate the firewall's rules (5.x)", when=version5
    )
    yield Manual(
        target,
        "firewall",
        "in the administration console, section Security > Firewall, click Save",
        when=proofs.neither(target, 4, 5),
    )
    yield Check(
        target,
        proofs.firewall(settings.work, settings.address),
        proofs.firewall_written,
        "the rules are new and name the server's address",
        "click Save in the administration console, section Security > Firewall",
        patience=60,
    )


@step("Run System Management > Mail Maintenance", POST_MIGRATION)
def mail_maintenance(settings: Settings) -> Iterator[Action]:
    target = settings.target
    yield Command(target, proofs.mark_time(settings.work), "remember the time")
    yield Call(target, "POST", api.MAIL_MAINTENANCE, "regenerate Postfix's routing tables", task=True)
    yield Check(
        target,
        proofs.newer(settings.work, list(POSTFIX_MAPS)),
        partial(proofs.all_newer, len(POSTFIX_MAPS)),
        "every routing table is new",
        "the task ends before the tables are written: look in /var/log/bm/core.log, then run Mail Maintenance again",
        patience=180,
    )


@step("Save My Networks in System Management > System Configuration", POST_MIGRATION)
def my_networks(settings: Settings) -> Iterator[Action]:
    target = settings.target
    yield Call(
        target,
        "GET",
        api.CONFIGURATION,
        "My Networks excludes no host",
        judge=api.no_exclusions,
        remedy="BlueMind would drop the ! and let the host relay: remove the exclusion, filter it elsewhere",
    )
    yield Call(
        target,
        "POST",
        api.CONFIGURATION,
        "save My Networks",
        change=partial(_networks, settings.my_networks),
    )
    yield Check(
        target,
        "postconf -h mynetworks",
        partial(proofs.networks, settings.my_networks),
        "Postfix lets the right networks relay",
        "replace the old address in My Networks in the administration console",
        patience=60,
    )


def _networks(wanted: str, current: Any) -> dict[str, str]:
    return {"mynetworks": wanted or current["values"].get("mynetworks", "127.0.0.0/8")}


@step("BlueMind answers", POST_MIGRATION)
def verify_service(settings: Settings) -> Iterator[Action]:
    target = settings.target
    yield _running(target)
    yield Call(target, "GET", api.STATE, "BlueMind's state", judge=api.is_running)
    yield Call(target, "GET", api.VERSION, "version of software and database", judge=proofs.versions_agree)
    yield Check(
        target,
        proofs.ask_external_url(),
        proofs.url_answers,
        "the external-url answers",
        "look in /var/log/nginx/error.log and /var/log/bm-webserver/webserver.log",
        patience=120,
    )


@step("Remove what the migration left on the servers", POST_MIGRATION)
def clean_up(settings: Settings) -> Iterator[Action]:
    """The saved configuration stays, and so does the original server, stopped, until someone decides."""
    target, folder = settings.target, settings.work
    dumps = " ".join(f"{folder}/{file}" for file in DATABASES.values())
    yield Command(target, f"rm -f {dumps}", "remove the dumps")
    yield Command(target, f"rm -f {folder}/key {folder}/key.pub", "remove the run's key pair")
    if settings.fast:
        yield from settings.fast.clean_up()
    for database in DATABASES:
        yield Command(target, databases.drop_before(database), f"drop the target's old {database}")


def _stop(server: str) -> Iterator[Command]:
    """Stop services and keep them from coming back with a restart of the server."""
    yield Command(server, "bmctl stop", "stop BlueMind", ensure=True)
    yield Command(server, "service postfix stop", "stop Postfix", ensure=True)
    yield Command(server, "systemctl disable bluemind.target postfix", "keep them stopped after a restart")


def _stopped(server: str) -> Check:
    return Check(
        server,
        services.STATUS,
        services.services_stopped,
        f"services of {server} are stopped",
        "stop the service that is named, then run this cell again",
        patience=60,
    )


def _running(server: str) -> Check:
    return Check(
        server,
        services.STATUS,
        services.services_running,
        f"services of {server} are running",
        "look at journalctl -xe -u SERVICE on the server",
        patience=300,
    )


def _start_postgresql(server: str) -> Command:
    # bmctl stop takes PostgreSQL down with it on releases driven by systemd.
    return Command(server, "systemctl start postgresql", "start PostgreSQL", ensure=True)


def _keep_reachable(settings: Settings) -> Iterator[Action]:
    """The origin stays in the target's reach under a link-local address, which a restart forgets."""
    origin, target = settings.origin, settings.target
    own, other = address.parked(settings.address)
    yield Command(target, address.park(settings.address, other, own), f"reach the origin from {other}")
    yield Command(origin, address.park(settings.address, own, other), f"be reached at {own}")
    yield Check(
        target,
        address.answers_ssh(own),
        must.done,
        f"the origin answers at {own}",
        "let ssh through from the target, or do without: keep_reachable: false",
    )
    yield Command(origin, "true", "contact the origin there", moves_to=own, moves_via=target)


def _nothing_writes(settings: Settings) -> Iterator[Check]:
    for server in (settings.origin, settings.target):
        yield _stopped(server)
        yield Check(
            server,
            proofs.open_files(settings.trees),
            must.nothing_printed,
            f"no process of {server} has a file of the trees open",
            "stop the process that is named, then run this cell again",
            patience=30,
        )


def _same_servers(settings: Settings, installation: bool = True) -> Check:
    """`installation` is left out once the target has the origin's configuration."""
    who = guards.identity(settings.work, installation)
    over_there = guards.over_there(settings.work, settings.origin, who)
    return Check(
        (settings.origin, settings.target, settings.target),
        (who, who, over_there),
        guards.same_servers,
        "both servers are those of the beginning",
        "see that both names and the address lead to the right servers; nothing was copied",
    )


def _trees_are_there(settings: Settings) -> Check:
    return Check(
        settings.origin,
        files.count(settings.trees),
        partial(files.safe_to_follow, tuple(settings.known_empty)),
        "the trees of the origin are there",
        "mount the tree, or name it under known_empty if it is rightly empty",
    )


def _same_trees(settings: Settings) -> Check:
    return Check(
        settings.origin,
        guards.compare_trees(settings.work, settings.trees),
        must.nothing_printed,
        "the trees are those of the first pass",
        "mount what is missing; if it is rightly so, remove the file `trees` in the run's folder there",
    )


def _safe_to_delete(settings: Settings) -> Iterator[Action]:
    yield _same_servers(settings)
    yield _trees_are_there(settings)
    yield _same_trees(settings)
    yield Check(
        (settings.origin, settings.target),
        guards.sizes(settings.trees),
        partial(guards.not_much_smaller, tuple(settings.known_smaller)),
        "no tree is much smaller than its copy",
        "see what is missing on the origin; if nothing is, name the tree under known_smaller",
    )


def _synchronize(
    settings: Settings, accept: tuple[int, ...] = (0,), again: tuple[int, ...] = (), ensure: bool = False
) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    yield from _safe_to_delete(settings)
    for tree in settings.trees:
        yield Command(
            target,
            files.synchronize(origin, tree),
            tree,
            when=Condition(origin, files.has_something(tree), "absent or empty on the origin"),
            env=_rsync(settings),
            accept=accept,
            again=again,
            ensure=ensure,
            read=files.read_stats,
            remedy="rsync goes on where it stopped: mend the cause, then run this cell again",
        )


PROCEDURE = Procedure(
    "Changing distributions",
    Settings,
    (
        prerequisites,
        key_authentication,
        stop_target,
        hot_synchronization,
        stop_services,
        cold_synchronization,
        dump_databases,
        copy_configuration,
        import_databases,
        verify_copy,
        stop_origin,
        take_over_address,
        restart_target,
        save_firewall,
        mail_maintenance,
        my_networks,
        verify_service,
        clean_up,
    ),
    CHANGING_DISTRIBUTIONS,
)
