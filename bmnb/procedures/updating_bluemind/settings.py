"""What the consultant says about one update."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bmnb.bluemind import repository
from bmnb.packages import TOOLS, Tool
from bmnb.packages.tool import LATEST
from bmnb.procedures.common import RunSettings, platform_problems
from bmnb.procedures.updating_bluemind.phases import PHASES
from bmnb.settings import setting
from bmnb.steps import slug
from bmnb.transfer import access
from bmnb.transfer.address import ADDRESSES


@dataclass(frozen=True)
class Settings(RunSettings):
    client: str = setting(
        "example",
        "name of the client; part of the run's folder name",
        label="Client",
        form=False,
        frozen=True,
    )
    core: str = setting(
        "core.domain.tld",
        "server with BlueMind's core, as ssh on this machine knows it",
        label="Core",
        server=True,
        frozen=True,
    )
    servers: list[str] = setting(
        ["mailbox.domain.tld", "edge.domain.tld"],
        "the platform's other servers",
        label="Other servers",
        unit="one a line",
        server=True,
        frozen=True,
    )
    address: str = setting(
        "192.0.2.10",
        "address at which users and other mail servers reach the platform",
        label="Address",
        unit="IPv4",
        offer=("core", ADDRESSES),
        frozen=True,
    )
    package_tool: str = setting(
        "aptitude",
        "aptitude, apt-get, yum or dnf, as the servers have it",
        label="Package tool",
        choices={name: name for name in TOOLS},
        group="Packages",
    )
    version: str = setting(
        "latest",
        "version to prepare: latest, or one such as 4.9.12; empty where it was done in the console",
        label="Version",
        offer=("core", LATEST),
        group="Packages",
    )
    freeze: bool = setting(
        True,
        "afterwards freeze the repositories, so that system updates leave BlueMind alone",
        label="Freeze afterwards",
        group="Packages",
    )
    keep_packages: bool = setting(
        True,
        "keep the installed packages as files, so that they can be put back until the setup wizard begins",
        label="Keep the installed packages",
        group="Packages",
    )
    prepare_by: str = setting(
        "api",
        "how the update is prepared: api, as the console does, or bm-cli",
        label="Prepare by",
        choices={"API": "api", "bm-cli": "bm-cli"},
        group="Packages",
    )
    import_key: bool = setting(
        False,
        "import the key of BlueMind's repository, once its fingerprint is confirmed",
        label="Import the repository's key",
        group="Packages",
    )
    key_address: str = setting(
        repository.ADDRESS,
        "where the repository's key is to be had",
        label="Address of the key",
        group="Packages",
        only=("import_key", True),
    )
    recover_wizard: str = setting(
        "",
        "new password for /setup: by the configuration, or by htpasswd on the server",
        label="New password for /setup",
        choices={"it is known": "", "by the configuration": "configuration", "by htpasswd": "htpasswd"},
        group="Setup wizard",
    )
    setup_wizard: str = setting(
        "bm-cli",
        "how the setup wizard's update is started: bm-cli, api, or by a person on the web",
        label="Setup wizard",
        choices={"bm-cli": "bm-cli", "API": "api", "a person on the web": "web"},
        group="Setup wizard",
    )
    download_ahead: bool = setting(
        True,
        "fetch the packages before the service is cut off",
        label="Download ahead",
        group="Speed",
    )
    full_upgrade: bool = setting(
        False,
        "also packages whose dependencies have changed, which upgrade leaves out",
        label="Full upgrade",
        group="Packages",
    )
    test_mailbox: str = setting(
        "",
        "address on the platform that gets a test message",
        label="Test message in",
        becomes=("",),
        group="Verification",
    )
    test_outside: str = setting(
        "",
        "address elsewhere that gets a test message",
        label="Test message out",
        group="Verification",
    )
    through: str = setting(
        "",
        "last phase to run, such as operations-in-production; empty runs all of them",
        label="Run through",
        choices={"all phases": "", **{phase.title: phase.name for phase in PHASES}},
    )

    @property
    def work(self) -> str:
        """Folder of this procedure's files on the servers."""
        return f"{access.WORK}/{slug(self.client)}-update"

    @property
    def to_major(self) -> str:
        """The major version that this leads to; empty where it stays in its own."""
        return ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where users are served."""
        return (self.address,)

    @property
    def everyone(self) -> tuple[str, ...]:
        """All servers, the core first."""
        return (self.core, *self.servers)

    @property
    def way_back(self) -> str:
        """In words, as it is from the first package on."""
        if not self.keep_packages:
            return "the way back is the backup"
        return (
            "until the setup wizard begins, `bmnb rollback` puts the former packages back; from then on the way "
            "back is the backup"
        )

    @property
    def kept(self) -> str:
        """Folder of the installed packages on each server."""
        return f"{self.work}/packages"

    @property
    def tool(self) -> Tool:
        return TOOLS[self.package_tool]

    @property
    def upgradable(self) -> str:
        return self.tool.full_upgradable if self.full_upgrade else self.tool.upgradable

    def problems(self) -> list[str]:
        """What is wrong with the values, each in one line."""
        servers = {"core": self.core, **{f"servers, {n}": name for n, name in enumerate(self.servers, 1)}}
        found = platform_problems(self.client, self.address, servers)
        if len(set(self.everyone)) < len(self.everyone):
            found.append("a server is named twice")
        if not re.fullmatch(r"|latest|[0-9]+(\.[0-9]+)*(-[0-9]+)?", self.version):
            found.append(f"version: {self.version!r} is neither latest nor a version such as 4.9.12")
        if self.import_key and self.package_tool in ("yum", "dnf"):
            found.append("import_key: by the document the repositories of RedHat's family are not signed")
        if not re.fullmatch(r"(https?|file)://[A-Za-z0-9._:/-]+", self.key_address):
            found.append(f"key_address: {self.key_address!r} is not an address")
        found += [
            f"{name}: {getattr(self, name)!r} is not an address of mail"
            for name in ("test_mailbox", "test_outside")
            if getattr(self, name) and not re.fullmatch(r"[\w.+-]+@[\w.-]+", getattr(self, name))
        ]
        return found + self.common_problems()
