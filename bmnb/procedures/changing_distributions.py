"""Changing distributions: BlueMind moves from an origin server to a target server.

Source: the page "Changing distributions" of BlueMind's documentation; its headings are the phases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from ipaddress import AddressValueError, IPv4Address
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
from bmnb.settings import setting
from bmnb.steps import Action, Call, Check, Command, Condition, Manual, Phase, Procedure, Together, slug, step
from bmnb.transfer import access, address, configuration, databases, files
from bmnb.transfer.engine import Fast

PREREQUISITES = Phase("Prerequisites")
HOT = Phase("Hot synchronization")
COLD = Phase("Cold synchronization", downtime=True)
SWITCHING = Phase("Switching servers", downtime=True)
POST_MIGRATION = Phase("Post-migration")


@dataclass(frozen=True)
class Settings:
    client: str = setting("example", "name of the client; part of the run's folder name")
    origin: str = setting("origsrv.domain.tld", "original server, as ssh on this machine knows it")
    target: str = setting("targetsrv.domain.tld", "target server, as ssh on this machine knows it")
    address: str = setting("192.0.2.10", "address of the original server, which the target server takes over")
    hot_passes: int = setting(1, "number of hot synchronizations before the service is stopped")
    make_key: bool = setting(True, "make a key pair for this run where the target's root cannot log in")
    known_empty: list[str] = setting([], "trees that are empty on the original server, and rightly so")
    carry_forgotten: bool = setting(True, "carry also what the document forgets, where it exists")
    engine: str = setting("literal", "how data is carried over: fast, or literal as in the document")
    streams: int = setting(
        0, "streams side by side of the fast engine; 0: one a core of the target, up to four"
    )
    restart_target: bool = setting(True, "restart the target server when it has the address")
    my_networks: str = setting("", "new value of My Networks; empty keeps the value of the original server")
    through: str = setting("", "last phase to run, such as hot-synchronization; empty runs all of them")
    runs: str = setting("runs", "folder of the runs")
    ssh_config: str = setting("~/.ssh/config", "ssh configuration of this machine")
    answers: dict[str, str] = setting({}, "answers to confirmations and manual steps, by their key")
    dry_run: bool = setting(True, "show the plan; contact no server")

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
        found = [
            f"{name}: {value!r} is not a server's name"
            for name, value in (("origin", self.origin), ("target", self.target))
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value)
        ]
        if self.origin == self.target:
            found.append("origin and target are the same server")
        if not slug(self.client):
            found.append(f"client: {self.client!r} has no letter or digit")
        try:
            IPv4Address(self.address)
        except AddressValueError as error:
            found.append(f"address: {error}")
        if self.hot_passes < 1:
            found.append("hot_passes: at least 1")
        if self.engine not in ("fast", "literal"):
            found.append(f"engine: {self.engine!r} is not one of fast, literal")
        if self.streams < 0:
            found.append("streams: at least 0")
        names = [phase.name for phase in PROCEDURE.phases]
        if self.through and self.through not in names:
            found.append(f"through: {self.through!r} is not one of {', '.join(names)}")
        found += [
            f"known_empty: {tree} is not one of the trees"
            for tree in self.known_empty
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


@step("The target system's root user can log in on the original server", PREREQUISITES)
def key_authentication(settings: Settings) -> Iterator[Action]:
    origin, target, folder = settings.origin, settings.target, settings.work
    login = f"{access.ssh(folder)} root@{origin} true"
    missing = Condition(target, f"! {login} 2> /dev/null", "root can log in already")
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


@step("Stop services on the target server", HOT)
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
    yield _stopped(settings.target)
    yield _trees_are_there(settings)
    if settings.fast:
        yield from settings.fast.hot_pass()
    else:
        yield from _synchronize(settings, accept=(0, files.VANISHED), again=files.BROKEN_OFF)


@step("Stop services on the servers (original and target)", COLD)
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
    yield from settings.fast.side_by_side(stops) if settings.fast else stops
    for server in (origin, target):
        yield _stopped(server)
    yield Check(
        origin,
        proofs.open_files(settings.trees),
        must.nothing_printed,
        "no process has a file of the trees open",
        "stop the process that is named, then run this cell again",
        patience=30,
    )


@step("Synchronize the data again", COLD)
def cold_synchronization(settings: Settings) -> Iterator[Action]:
    yield _stopped(settings.origin)
    yield _stopped(settings.target)
    yield _trees_are_there(settings)
    queue = Command(
        settings.target,
        files.synchronize_queue(settings.origin),
        "mail in Postfix's queue",
        env=_rsync(settings),
        read=files.read_stats,
        remedy="run this cell again",
    )
    forgotten = [queue] if settings.carry_forgotten else []
    if settings.fast:
        yield from settings.fast.cold_pass(*forgotten)
    else:
        yield from _synchronize(settings)
        yield from forgotten


@step("Dump the databases of the original server", COLD)
def dump_databases(settings: Settings) -> Iterator[Action]:
    origin, target, folder = settings.origin, settings.target, settings.work
    if settings.fast:
        yield from settings.fast.dump()
        return
    yield _start_postgresql(origin)
    yield Together(
        tuple(
            Command(target, databases.dump(folder, origin, database, file), f"dump {database}", ensure=True)
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
    password = Command(target, databases.adopt_password(), "password of the role bj, from bm.ini")
    place = Command(target, databases.put_in_place(list(DATABASES)), "put the imported databases in place")
    starts = (_start_postgresql(origin), _start_postgresql(target))
    if settings.fast:
        yield Together(starts)
        yield from settings.fast.imports()
        yield Together((password, place))
    else:
        yield from starts
        yield password
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
        yield Command(target, databases.import_dump(folder, database, file), f"import {database}")
        yield Command(target, databases.analyze(database), f"statistics of {database}")


@step("Stop the original server", SWITCHING, once=True)
def stop_origin(settings: Settings) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    yield Manual(
        origin,
        "switch-servers",
        f"{origin} loses its address {settings.address} to {target} and is reachable from its console only; "
        "the way back costs the mail that the target will have accepted by then",
        expect=origin,
    )
    last = (
        Command(origin, access.withdraw_key(settings.work), "withdraw the run's key"),
        Command(origin, address.save(settings.work), "save the network configuration"),
    )
    yield from [Together((*settings.fast.forget(origin), *last))] if settings.fast else last
    yield Command(origin, address.take_off(settings.address), f"take {settings.address} off", farewell=True)
    yield Check(
        target,
        address.nobody_holds(settings.address),
        address.free,
        f"nobody answers for {settings.address}",
        "look on the console of the original server whether it still has the address",
        patience=60,
    )


@step("Reconfigure the target server with the original server's IP address", SWITCHING, once=True)
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


@step("Restart the target server", SWITCHING)
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
        proofs.ASK_EXTERNAL_URL,
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


def _trees_are_there(settings: Settings) -> Check:
    return Check(
        settings.origin,
        files.count(settings.trees),
        partial(files.safe_to_follow, tuple(settings.known_empty)),
        "the trees of the origin are there",
        "mount the tree, or name it under known_empty if it is rightly empty",
    )


def _synchronize(
    settings: Settings, accept: tuple[int, ...] = (0,), again: tuple[int, ...] = ()
) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    for tree in settings.trees:
        yield Command(
            target,
            files.synchronize(origin, tree),
            tree,
            when=Condition(origin, files.has_something(tree), "absent or empty on the origin"),
            env=_rsync(settings),
            accept=accept,
            again=again,
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
        stop_origin,
        take_over_address,
        restart_target,
        save_firewall,
        mail_maintenance,
        my_networks,
        verify_service,
        clean_up,
    ),
)
