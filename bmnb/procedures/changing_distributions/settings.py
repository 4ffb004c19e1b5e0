"""What the consultant says about one distribution change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from bmnb.bluemind.api import split_networks, without_mask
from bmnb.bluemind.paths import ADDED_TREES, DATABASES, KEYCLOAK, TREES
from bmnb.procedures.changing_distributions.phases import PHASES
from bmnb.procedures.common import RunSettings, platform_problems
from bmnb.settings import setting
from bmnb.steps import Condition, slug
from bmnb.times import duration, moment
from bmnb.transfer import access
from bmnb.transfer import databases as pg
from bmnb.transfer.address import ADDRESSES
from bmnb.transfer.engine import Fast
from bmnb.verification import account

BEFORE, DURING, NEVER = "before", "during", "never"
"""When the target restarts: before the first hot pass, within the downtime as in the document, or not at all."""

AFTER = "after"
"""The whole copy is proven once the service is up again, and not before the switch."""

TAKE_OVER, BY_HAND, NEW_ADDRESS = "take-over", "by-hand", "new-address"
"""The ways in which the target comes to be reached in the origin's place."""

PUBLIC_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]+\n)+-----END PUBLIC KEY-----\n?")

LONGEST_WATCH = 240
"""Minutes; what is watched for longer is a matter of monitoring."""

NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""A database's name is part of file names and of others' names, of which PostgreSQL keeps 63 bytes."""


@dataclass(frozen=True)
class Settings(RunSettings):
    client: str = setting(
        "example",
        "name of the client; part of the run's folder name",
        label="Client",
        form=False,
        frozen=True,
    )
    origin: str = setting(
        "origsrv.domain.tld",
        "original server, as ssh on this machine knows it",
        label="Original server",
        server=True,
        frozen=True,
    )
    target: str = setting(
        "targetsrv.domain.tld",
        "target server, as ssh on this machine knows it",
        label="Target server",
        server=True,
        frozen=True,
    )
    address: str = setting(
        "192.0.2.10",
        "address of the original server, which the target server takes over",
        label="Address",
        unit="IPv4",
        offer=("origin", ADDRESSES),
        frozen=True,
        exact=True,
    )
    switch: str = setting(
        TAKE_OVER,
        "how the target is reached in the origin's place: take-over of the address on one network, by-hand where the "
        "provider or the hypervisor moves it, or new-address",
        label="Switch",
        choices={
            "the target takes the address over": TAKE_OVER,
            "the address is moved by hand": BY_HAND,
            "the target keeps its own address": NEW_ADDRESS,
        },
        frozen=True,
        group="Network",
        means={
            TAKE_OVER: "both servers are on one network, and the target takes the address over there",
            BY_HAND: "the provider or the hypervisor moves the address; a person says when it is done",
            NEW_ADDRESS: "the address stays behind: a person changes the names in DNS, and caches keep the old one a while",
        },
    )
    new_address: str = setting(
        "",
        "address that the target server keeps, with switch new-address",
        label="New address",
        unit="IPv4",
        offer=("target", ADDRESSES),
        frozen=True,
        exact=True,
        group="Network",
        only=("switch", NEW_ADDRESS),
    )
    hot_passes: int = setting(
        1,
        "number of hot synchronizations before the service is stopped",
        label="Hot synchronizations",
        unit="passes",
        group="Speed",
    )
    every: str = setting(
        "",
        "pace of further hot synchronizations until the service is stopped, such as 30m; empty makes none",
        label="Hold warm, every",
        group="Speed",
        unit="such as 30m",
        free=True,
    )
    until: str = setting(
        "",
        "when these end and the service may be stopped, such as 2026-12-05T22:00; empty goes on until it is interrupted",
        label="Hold warm, until",
        group="Speed",
        unit="such as 2026-12-05T22:00",
        free=True,
    )
    budget: str = setting(
        "",
        "downtime that may be expected at the most, such as 10m; where it is more, or not known, the service is not stopped",
        label="Downtime budget",
        group="Speed",
        unit="such as 10m",
        free=True,
    )
    again: bool = setting(
        False,
        "make one more hot synchronization where all were made already",
        label="One more pass",
        form=False,
        free=True,
    )
    test_launch: bool = setting(
        False,
        "launch BlueMind on the target ahead of the night, with what was copied and cut off from the network",
        label="Test launch",
        group="Verification",
    )
    make_key: bool = setting(
        True,
        "make a key pair for this run where the target's root cannot log in",
        label="Make a key pair",
        frozen=True,
        group="Network",
    )
    known_empty: list[str] = setting(
        [],
        "trees that are empty on the original server, and rightly so",
        label="Empty trees",
        unit="one a line",
        free=True,
        group="Verification",
    )
    known_smaller: list[str] = setting(
        [],
        "trees that may be much smaller than on the target server",
        label="Smaller trees",
        unit="one a line",
        free=True,
        group="Verification",
    )
    carry_forgotten: bool = setting(
        True,
        "carry also what the document forgets, where it exists",
        label="Carry what is forgotten",
        frozen=True,
        group="Verification",
    )
    compare_content: int = setting(
        100,
        "percent of the files compared by content beside those that changed",
        label="Compare content",
        unit="%",
        free=True,
        group="Verification",
    )
    verify: str = setting(
        BEFORE,
        "when the whole copy is proven: before the switch, or after it, while the target serves and the origin stays as it is",
        label="Prove the whole copy",
        group="Verification",
        choices={"before the switch": BEFORE, "after the switch": AFTER},
    )
    engine: str = setting(
        "fast",
        "how data is carried over: fast, for the shortest downtime, or literal as in the document",
        label="Engine",
        choices={"fast": "fast", "literal, as in the document": "literal"},
        frozen=True,
        becomes=("literal",),
        group="Speed",
        means={
            "fast": "many files and rows at once, several streams side by side: the shortest downtime",
            "literal": "the commands of the document, one after the other",
        },
    )
    database_copy: str = setting(
        "rows",
        "how the fast engine follows what changes in the databases: rows, or replication where PostgreSQL allows it",
        label="Changes of the databases",
        choices={"by rows": "rows", "by logical replication": "replication"},
        frozen=True,
        becomes=("rows",),
        only=("engine", "fast"),
        group="Speed",
        means={
            "rows": "the rows that differ are carried in the downtime; it works on every server",
            "replication": "PostgreSQL sends what changes from the hot pass on, where it is allowed to",
        },
    )
    change_journal: bool = setting(
        True,
        "keep a journal of changes on the original server from the hot pass on, where its kernel offers one",
        label="Journal of changes",
        free=True,
        group="Speed",
        only=("engine", "fast"),
    )
    keycloak_database: str = setting(
        KEYCLOAK,
        "Keycloak's database, carried where the original server has it, as BlueMind 5 with logins by OpenID does",
        label="Keycloak's database",
        form=False,
    )
    streams: int = setting(
        0,
        "streams side by side of the fast engine at most; 0: up to eight, as many as bring more together",
        label="Streams",
        free=True,
        group="Speed",
        only=("engine", "fast"),
    )
    hot_limit: int = setting(
        0,
        "what a hot pass of the fast engine may take of the line; 0: all of it",
        label="Limit of a hot pass",
        unit="MB/s",
        free=True,
        group="Speed",
        only=("engine", "fast"),
    )
    restart_target: str = setting(
        BEFORE,
        "when the target server is restarted: before the first hot pass, during the downtime as in the document, or never",
        label="Restart the target server",
        choices={"before the hot phase": BEFORE, "during the downtime": DURING, "never": NEVER},
        formerly={True: DURING, False: NEVER},
        free=True,
        group="Speed",
        means={
            BEFORE: "before the first hot pass, while users go on working",
            DURING: "as in the document; users wait for it",
            NEVER: "whether the target server comes up again after a restart is not tried",
        },
    )
    keep_reachable: bool = setting(
        True,
        "keep the original server in the target's reach, for the way back",
        label="Keep the original server reachable",
        becomes=(False,),
        group="Network",
    )
    my_networks: str = setting(
        "",
        "new value of My Networks; empty keeps the value of the original server",
        label="My Networks",
        group="Network",
    )
    test_account: str = setting(
        "",
        "account that is sent a message after the switch, and read by IMAP; empty tries none",
        label="Test account",
        unit="address",
        group="Verification",
    )
    watch_minutes: int = setting(
        0,
        "how long the target server is watched once it serves, such as 60; 0: not at all",
        label="Watch the first hour",
        unit="minutes",
        free=True,
        group="Verification",
    )
    keep_dumps: str = setting(
        "",
        "RSA public key (PEM) with which the dumps are kept, encrypted; empty removes them",
        label="Keep the dumps",
        form=False,
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
    def serves_at(self) -> str:
        """The address at which the target serves once the servers are switched."""
        return self.new_address if self.switch == NEW_ADDRESS else self.address

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where users are served, after and before."""
        return tuple(dict.fromkeys((self.serves_at, self.address)))

    @property
    def fast(self) -> Fast | None:
        """The fast engine; None where the literal one is to do it."""
        if self.engine != "fast":
            return None
        return Fast(
            self.origin,
            self.target,
            self.work,
            self.trees,
            self.carry_forgotten,
            self.streams,
            self.hot_limit,
            self.database_copy == "replication",
            self.change_journal,
            self.databases,
        )

    @property
    def proven_late(self) -> bool:
        return self.verify == AFTER

    @property
    def databases(self) -> tuple[str, ...]:
        """All that are carried, those included that not every BlueMind has."""
        return (*DATABASES, self.keycloak_database)

    def where_it_is(self, database: str) -> Condition | None:
        """None for those that every BlueMind has."""
        if database in DATABASES:
            return None
        return Condition(self.target, pg.is_there(self.work, database), pg.ABSENT)

    @property
    def trees(self) -> tuple[str, ...]:
        return TREES + (tuple(ADDED_TREES) if self.carry_forgotten else ())

    def problems(self) -> list[str]:
        """What is wrong with the values, each in one line."""
        servers = {"origin": self.origin, "target": self.target}
        found = platform_problems(self.client, self.address, servers)
        if self.origin == self.target:
            found.append("origin and target are the same server")
        found += self._switch_problems()
        if self.hot_passes < 1:
            found.append("hot_passes: at least 1")
        found += self._pace_problems()
        if self.database_copy == "replication" and self.engine != "fast":
            found.append("database_copy: replication needs the fast engine")
        if self.test_launch and (self.engine != "fast" or self.database_copy == "replication"):
            found.append("test_launch: only with the fast engine and database_copy: rows")
        if self.keycloak_database in DATABASES or not NAME.fullmatch(self.keycloak_database):
            found.append(
                f"keycloak_database: {self.keycloak_database!r} is no name that this procedure carries"
            )
        found += self._verify_problems()
        if self.streams < 0:
            found.append("streams: at least 0")
        if self.hot_limit < 0:
            found.append("hot_limit: at least 0")
        if not 0 <= self.compare_content <= 100:
            found.append("compare_content: from 0 to 100")
        if self.test_account and not account.ACCOUNT.fullmatch(self.test_account):
            found.append(f"test_account: {self.test_account!r} is no address")
        if not 0 <= self.watch_minutes <= LONGEST_WATCH:
            found.append(f"watch_minutes: from 0 to {LONGEST_WATCH}")
        if self.keep_dumps and not PUBLIC_KEY.fullmatch(self.keep_dumps):
            found.append(
                "keep_dumps: no public key, such as openssl rsa -pubout or ssh-keygen -e -m PKCS8 make"
            )
        if self.keep_dumps and self.engine == "fast":
            found.append("keep_dumps: the fast engine makes no dumps")
        found += self.common_problems()
        found += [
            f"{name}: {tree} is not one of the trees"
            for name, trees in (("known_empty", self.known_empty), ("known_smaller", self.known_smaller))
            for tree in trees
            if tree not in self.trees
        ]
        return found

    def _pace_problems(self) -> Iterator[str]:
        readers: dict[str, Callable[[str], object]] = {"every": duration, "until": moment, "budget": duration}
        for name, read in readers.items():
            try:
                if getattr(self, name):
                    read(getattr(self, name))
            except ValueError as error:
                yield f"{name}: {error}"
        if self.until and not self.every:
            yield "until: only with every"

    def _verify_problems(self) -> Iterator[str]:
        if self.verify != AFTER:
            return
        if self.engine != "fast":
            yield "verify: after needs the fast engine, which compares what it sends as it comes"
        if not self.keep_reachable:
            yield "verify: after needs keep_reachable, since the original server is read after the switch"
        if self.switch == NEW_ADDRESS:
            yield "verify: after is not for switch: new-address, which changes the copy before it serves"

    def _switch_problems(self) -> Iterator[str]:
        if self.switch != NEW_ADDRESS:
            if self.new_address:
                yield "new_address: only with switch: new-address"
            return
        try:
            IPv4Address(self.new_address)
        except AddressValueError as error:
            yield f"new_address: {error}" if self.new_address else "new_address: with switch: new-address"
        if self.new_address == self.address:
            yield "new_address: it is the original server's"
        if self.address in map(without_mask, split_networks(self.my_networks)):
            yield f"my_networks: {self.address} is the old address"
