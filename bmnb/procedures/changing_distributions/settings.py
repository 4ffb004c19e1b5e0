"""What the consultant says about one distribution change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from bmnb.bluemind.api import split_networks, without_mask
from bmnb.bluemind.paths import ADDED_TREES, DATABASES, KEYCLOAK, TREES
from bmnb.procedures.changing_distributions.phases import PHASES
from bmnb.procedures.common import RunSettings, platform_problems
from bmnb.settings import setting
from bmnb.steps import Condition, slug
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
    )
    new_address: str = setting(
        "",
        "address that the target server keeps, with switch new-address",
        label="New address",
        unit="IPv4",
        offer=("target", ADDRESSES),
        frozen=True,
    )
    hot_passes: int = setting(
        1,
        "number of hot synchronizations before the service is stopped",
        label="Hot synchronizations",
        unit="passes",
    )
    make_key: bool = setting(
        True,
        "make a key pair for this run where the target's root cannot log in",
        label="Make a key pair",
        frozen=True,
    )
    known_empty: list[str] = setting(
        [],
        "trees that are empty on the original server, and rightly so",
        label="Empty trees",
        unit="one a line",
        free=True,
    )
    known_smaller: list[str] = setting(
        [],
        "trees that may be much smaller than on the target server",
        label="Smaller trees",
        unit="one a line",
        free=True,
    )
    carry_forgotten: bool = setting(
        True,
        "carry also what the document forgets, where it exists",
        label="Carry what is forgotten",
        frozen=True,
    )
    compare_content: int = setting(
        100,
        "percent of the files compared by content beside those that changed",
        label="Compare content",
        unit="%",
        free=True,
    )
    verify: str = setting(
        BEFORE,
        "when the whole copy is proven: before the switch, or after it, while the target serves and the origin stays as it is",
        label="Prove the whole copy",
        choices={"before the switch": BEFORE, "after the switch": AFTER},
    )
    engine: str = setting(
        "fast",
        "how data is carried over: fast, for the shortest downtime, or literal as in the document",
        label="Engine",
        choices={"fast": "fast", "literal, as in the document": "literal"},
        frozen=True,
        becomes=("literal",),
    )
    database_copy: str = setting(
        "rows",
        "how the fast engine follows what changes in the databases: rows, or replication where PostgreSQL allows it",
        label="Changes of the databases",
        choices={"by rows": "rows", "by logical replication": "replication"},
        frozen=True,
        becomes=("rows",),
    )
    change_journal: bool = setting(
        True,
        "keep a journal of changes on the original server from the hot pass on, where its kernel offers one",
        label="Journal of changes",
        free=True,
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
    )
    hot_limit: int = setting(
        0,
        "what a hot pass of the fast engine may take of the line; 0: all of it",
        label="Limit of a hot pass",
        unit="MB/s",
        free=True,
    )
    restart_target: str = setting(
        BEFORE,
        "when the target server is restarted: before the first hot pass, during the downtime as in the document, or never",
        label="Restart the target server",
        choices={"before the hot phase": BEFORE, "during the downtime": DURING, "never": NEVER},
        formerly={True: DURING, False: NEVER},
        free=True,
    )
    keep_reachable: bool = setting(
        True,
        "keep the original server in the target's reach, for the way back",
        label="Keep the original server reachable",
        becomes=(False,),
    )
    my_networks: str = setting(
        "",
        "new value of My Networks; empty keeps the value of the original server",
        label="My Networks",
    )
    test_account: str = setting(
        "",
        "account that is sent a message after the switch, and read by IMAP; empty tries none",
        label="Test account",
        unit="address",
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
        if self.database_copy == "replication" and self.engine != "fast":
            found.append("database_copy: replication needs the fast engine")
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
