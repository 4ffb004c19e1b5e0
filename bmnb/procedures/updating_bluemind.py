"""Updating BlueMind: the packages on every server of a platform, then the setup wizard, once.

Source: the page "Updating BlueMind" of BlueMind's documentation; its headings are the phases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bmnb.bluemind import (
    api,
    backups,
    logs,
    mail,
    own_files,
    proofs,
    releases,
    repository,
    subscription,
    virtual_folders,
    wizard,
)
from bmnb.packages import TOOLS, Tool, judge
from bmnb.packages.tool import INSTALLED, LATEST
from bmnb.procedures import platform as must
from bmnb.procedures.checks import done, no_job_runs
from bmnb.procedures.common import RunSettings, platform_problems
from bmnb.procedures.deviations import UPDATING_BLUEMIND
from bmnb.settings import setting
from bmnb.steps import (
    Action,
    Call,
    Check,
    Command,
    Condition,
    Gauge,
    Manual,
    Phase,
    Procedure,
    Together,
    slug,
    step,
)
from bmnb.transfer import access
from bmnb.transfer.address import ADDRESSES

NOTHING_TOUCHED = "nothing: no package was touched"
PREREQUISITES = Phase("Prerequisites", back="there is nothing to undo", price=NOTHING_TOUCHED)
PREPARING = Phase(
    "Preparing for the update", back="the repositories are frozen on what is installed", price=NOTHING_TOUCHED
)
PRODUCTION = Phase(
    "Operations in production", back="the repositories are frozen on what is installed", price=NOTHING_TOUCHED
)
THE_BACKUP = "what users have done and mail that came in since the backup"
UPDATE = Phase(
    "Update procedure", downtime=True, back="a person restores the backup of every server", price=THE_BACKUP
)
AFTERWARDS = Phase("After the update", back="a person restores the backup of every server", price=THE_BACKUP)
PHASES = (PREREQUISITES, PREPARING, PRODUCTION, UPDATE, AFTERWARDS)

WAY_BACK = (
    "packages can be put back in their former version only as long as the setup wizard has not changed the "
    "databases; from then on the way back is the backup"
)


@dataclass(frozen=True)
class Settings(RunSettings):
    client: str = setting(
        "example", "name of the client; part of the run's folder name", label="Client", form=False
    )
    core: str = setting(
        "core.domain.tld",
        "server with BlueMind's core, as ssh on this machine knows it",
        label="Core",
        server=True,
    )
    servers: list[str] = setting(
        ["mailbox.domain.tld", "edge.domain.tld"],
        "the platform's other servers",
        label="Other servers",
        unit="one a line",
        server=True,
    )
    address: str = setting(
        "192.0.2.10",
        "address at which users and other mail servers reach the platform",
        label="Address",
        unit="IPv4",
        offer=("core", ADDRESSES),
    )
    package_tool: str = setting(
        "aptitude",
        "aptitude, apt-get, yum or dnf, as the servers have it",
        label="Package tool",
        choices={name: name for name in TOOLS},
    )
    version: str = setting(
        "latest",
        "version to prepare: latest, or one such as 4.9.12; empty where it was done in the console",
        label="Version",
        offer=("core", LATEST),
    )
    freeze: bool = setting(
        True,
        "afterwards freeze the repositories, so that system updates leave BlueMind alone",
        label="Freeze afterwards",
    )
    import_key: bool = setting(
        False,
        "import the key of BlueMind's repository, once its fingerprint is confirmed",
        label="Import the repository's key",
    )
    key_address: str = setting(
        repository.ADDRESS, "where the repository's key is to be had", label="Address of the key"
    )
    recover_wizard: str = setting(
        "",
        "new password for /setup: by the configuration, or by htpasswd on the server",
        label="New password for /setup",
        choices={"it is known": "", "by the configuration": "configuration", "by htpasswd": "htpasswd"},
    )
    setup_wizard: str = setting(
        "bm-cli",
        "how the setup wizard's update is started: bm-cli, api, or by a person on the web",
        label="Setup wizard",
        choices={"bm-cli": "bm-cli", "API": "api", "a person on the web": "web"},
    )
    download_ahead: bool = setting(
        True, "fetch the packages before the service is cut off", label="Download ahead"
    )
    full_upgrade: bool = setting(
        False, "also packages whose dependencies have changed, which upgrade leaves out", label="Full upgrade"
    )
    test_mailbox: str = setting(
        "", "address on the platform that gets a test message", label="Test message in"
    )
    test_outside: str = setting("", "address elsewhere that gets a test message", label="Test message out")
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
    def everyone(self) -> tuple[str, ...]:
        """All servers, the core first."""
        return (self.core, *self.servers)

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


@step("Prerequisites on all servers", PREREQUISITES)
def prerequisites(settings: Settings) -> Iterator[Action]:
    """Everything is checked before anything is touched, and reported at once."""
    tool = settings.tool
    yield from must.servers(settings.everyone, tool)
    yield from must.bluemind(settings.core, settings.everyone, settings.version)
    yield from must.packages(settings.everyone, tool)
    if not settings.recover_wizard:
        yield _wizard_access(settings)
    if not settings.import_key:
        yield _signature(settings)


@step("A full system backup", PREREQUISITES)
def backup(settings: Settings) -> Iterator[Action]:
    core = settings.core
    yield Call(core, "GET", backups.GENERATIONS, "BlueMind's own backup", judge=backups.newest)
    yield Call(
        core,
        "POST",
        api.EXECUTIONS,
        "BlueMind's backup job",
        body=backups.LAST_RUN,
        judge=backups.last_run,
    )
    for server in settings.everyone:
        yield Check(server, backups.FILES, backups.files, f"files under {backups.FOLDER}")
    yield Manual(
        core,
        "backup",
        "name the full system backup, such as a snapshot of each server, and say who has seen that it can be restored",
    )


@step("Access to the setup wizard", PREREQUISITES)
def wizard_access(settings: Settings) -> Iterator[Action]:
    """Nothing to do where the password is known; a new one lies on the core, for root alone to read."""
    core, folder = settings.core, settings.work
    if not settings.recover_wizard:
        yield _wizard_access(settings)
        return
    yield Command(core, wizard.generate(folder), "make a new password")
    if settings.recover_wizard == "configuration":
        yield Command(
            core, wizard.save_in_configuration(folder), "save it in the configuration, as the console does"
        )
    else:
        yield Command(core, wizard.write_htpasswd(folder), "write it for nginx, in one go")
    yield Check(
        core,
        wizard.try_password(folder),
        wizard.recovered,
        "/setup asks for a password and accepts the new one",
        f"look in /var/log/nginx/error.log; the password is in {folder}/setup-password",
        patience=30,
    )


@step("Repository signature", PREREQUISITES)
def repository_signature(settings: Settings) -> Iterator[Action]:
    core, folder = settings.core, settings.work
    if settings.import_key:
        yield Check(core, "command -v gpg", done, "gpg is there to show the key", "apt install gpg")
        yield Command(
            core, repository.fetch(folder, settings.key_address), "fetch the key", read=repository.read_key
        )
        yield Manual(
            core,
            "repository-key",
            "the fingerprint shown is the one that BlueMind gives for its repository; say who compared it",
        )
        yield _everywhere(
            settings,
            repository.install(),
            "take the key for this repository alone",
            feed=(core, repository.show(folder)),
        )
    yield _signature(settings)


@step("Points of caution", PREREQUISITES)
def points_of_caution(settings: Settings) -> Iterator[Action]:
    core = settings.core
    yield Check(
        core,
        virtual_folders.LIST,
        virtual_folders.by_user,
        "virtual folders in users' inboxes",
        "the update to 4.1 deletes them: have their users move them out of the inbox in Outlook, then run this "
        "cell again",
        when=releases.installed_is(r"4\.0", "only an update from 4.0 deletes virtual folders", core),
        decision="lose-virtual-folders",
    )


@step("Save configuration files", PREPARING)
def save_configuration(settings: Settings) -> Iterator[Action]:
    yield _everywhere(settings, own_files.save(settings.work), "save configuration, services and settings")


def undo_prepare(settings: Settings) -> Iterator[Action]:
    yield _freeze(settings)


@step("System Management > Update BlueMind", PREPARING, undo=undo_prepare)
def prepare(settings: Settings) -> Iterator[Action]:
    core = settings.core
    yield from _show_repositories(settings, "repository before")
    if settings.version:
        yield Call(
            core,
            "POST",
            f"{api.PREPARE}?version={settings.version}",
            f"prepare for {settings.version}",
            remedy="BlueMind's own checks refuse it: see /var/log/bm/core.log",
            when=releases.has_preparing(core),
        )
    yield from _show_repositories(settings, "repository after")


@step("Update the lists of packages", PRODUCTION)
def refresh(settings: Settings) -> Iterator[Action]:
    tool, everyone = settings.tool, settings.everyone
    yield _wait_for_others(settings)
    yield _everywhere(
        settings,
        tool.refresh,
        "read the lists of packages",
        env=tool.env,
        remedy="see that the repository is reachable from this server and its signature is valid",
    )
    yield Check(
        everyone,
        settings.upgradable,
        judge.candidates,
        "the same new version for every server",
        "prepare the update (System Management > Update BlueMind), or nothing newer is published; "
        "where packages are left out because of dependencies, full_upgrade takes them in",
    )
    yield Check(everyone, settings.upgradable, releases.within_major, "no major upgrade", releases.TO_MAJOR)
    yield Check(everyone, settings.upgradable, judge.listed_apart, "what comes")
    yield Check(
        everyone,
        judge.space(tool),
        judge.enough_space,
        "space for packages",
        "make room on the file system that is named",
    )


@step("Download the packages", PRODUCTION)
def download(settings: Settings) -> Iterator[Action]:
    """Services go on; this is what most of the minutes go into."""
    tool = settings.tool
    yield _wait_for_others(settings)
    if settings.download_ahead:
        yield _everywhere(
            settings,
            tool.full_download if settings.full_upgrade else tool.download,
            "download the packages",
            env=tool.env,
            gauge=_fetched(tool),
            remedy="run this cell again: what is there already is not fetched twice",
        )
    yield _everywhere(
        settings, f"umask 077; ({settings.upgradable}) > {settings.work}/candidates", "note what was found"
    )


@step("Begin the maintenance", UPDATE)
def begin_maintenance(settings: Settings) -> Iterator[Action]:
    core = settings.core
    yield Check(
        settings.everyone,
        f"({settings.upgradable}) | diff {settings.work}/candidates -",
        judge.same_candidates,
        "the repository still has what was found",
        "the repository has moved on since: begin a new run",
    )
    yield no_job_runs(core)
    yield Manual(
        core,
        "start-update",
        f"users of {core} are cut off until the setup wizard has ended; {WAY_BACK}",
        expect=core,
    )
    yield Command(core, logs.remember(settings.work), "remember how far the logs have come")


def undo_upgrade(settings: Settings) -> Iterator[Action]:
    """Packages cannot be put back once the databases have moved, so that the backup is the one way back."""
    yield Manual(
        settings.core,
        "restore-backup",
        "restore the full backup of every server that was named before the update; say who has done it",
    )
    yield Call(settings.core, "GET", api.STATE, "BlueMind's state", judge=api.is_running, patience=600)
    yield Check(
        settings.everyone,
        INSTALLED,
        judge.same_version,
        "same version on all servers",
        "restore the backup of the server that differs as well",
    )


@step("Update the packages", UPDATE, undo=undo_upgrade)
def upgrade(settings: Settings) -> Iterator[Action]:
    tool, everyone = settings.tool, settings.everyone
    yield _wait_for_others(settings)
    for server in everyone:
        yield Command(
            server,
            tool.recover,
            "complete what an interrupted update has left",
            when=Condition(server, f"({tool.broken}) | grep -q .", "nothing is half installed"),
            env=tool.env,
            ensure=True,
        )
    yield _everywhere(
        settings,
        tool.full_upgrade if settings.full_upgrade else tool.upgrade,
        "update the packages",
        env=tool.env,
        remedy="mend the cause and run this cell again: it completes this server, the others are not repeated; "
        + WAY_BACK,
    )
    yield Check(
        everyone,
        tool.broken,
        judge.nothing_broken,
        "no package is half installed",
        "run dpkg --configure -a on the server that is named, then this cell again",
    )
    yield Check(
        everyone,
        tool.full_upgradable,
        judge.none_left,
        "no package of BlueMind is left behind",
        "its dependencies have changed: upgrade it by name on that server, then run this cell again",
    )
    yield Check(
        everyone,
        INSTALLED,
        judge.same_version,
        "same version on all servers",
        "update the packages of the server that differs, then run this cell again",
    )


@step("Setup wizard", UPDATE)
def setup_wizard(settings: Settings) -> Iterator[Action]:
    core, folder = settings.core, settings.work
    remedy = (
        "users get “maintenance” until it succeeds: mend what core.log and webserver.log say, then run this cell "
        f"again; {WAY_BACK}"
    )
    if settings.setup_wizard == "bm-cli":
        # 3 with “Success” was seen where all was well: the text and BlueMind's state are looked at next
        yield Command(core, wizard.update(folder), "update (bm-cli)", accept=(0, 3), remedy=remedy)
        yield Check(core, wizard.text(folder), wizard.success, "bm-cli says that it succeeded", remedy)
    elif settings.setup_wizard == "api":
        yield Call(core, "POST", api.UPGRADE, "update (API)", task=True, remedy=remedy)
        yield Call(core, "POST", api.POST_INSTALL, "complete the update (API)", task=True, remedy=remedy)
    else:
        yield Manual(
            core,
            "setup-wizard",
            "open https://<external-url>/setup as admin, click Update, wait for “configuration was successful”",
        )
    yield Call(core, "GET", api.STATE, "BlueMind's state", judge=api.is_running, remedy=remedy, patience=600)
    yield Call(
        core,
        "GET",
        api.VERSION,
        "version of software and database",
        judge=proofs.versions_agree,
        remedy=remedy,
    )
    yield Check(core, logs.errors(folder), logs.seen, "errors in the logs of core and webserver")


@step("Enable the client's own virtual hosts", UPDATE)
def virtual_hosts(settings: Settings) -> Iterator[Action]:
    for server in settings.everyone:
        yield Command(
            server,
            own_files.enable_hosts(settings.work),
            "enable what the update disabled",
            when=Condition(server, own_files.HAS_SITES, "no nginx on this server"),
            read=own_files.read_enabled,
            remedy=f"nginx refuses them, so they stay disabled; they are in {settings.work}/before{own_files.SITES}",
        )


@step("Configuration files, compared", AFTERWARDS)
def compare_configuration(settings: Settings) -> Iterator[Action]:
    for server in settings.everyone:
        yield Check(
            server,
            own_files.changes(settings.work, settings.tool.left),
            own_files.what_changed,
            f"what the update changed; in full in {settings.work}/changes.diff",
        )


@step("BlueMind answers", AFTERWARDS)
def verify_service(settings: Settings) -> Iterator[Action]:
    core, everyone = settings.core, settings.everyone
    yield Check(everyone, INSTALLED, judge.same_version, "same version on all servers")
    for server in everyone:
        yield Check(
            server,
            own_files.services(settings.work),
            must.services_as_before,
            "services that ran before run again",
            "look at journalctl -xe -u SERVICE on the server",
            patience=300,
        )
    yield Call(core, "GET", api.STATE, "BlueMind's state", judge=api.is_running)
    yield Check(
        core,
        proofs.ask_external_url(settings.address),
        proofs.url_answers,
        "the external-url answers",
        "look in /var/log/nginx/error.log and /var/log/bm-webserver/webserver.log",
        patience=120,
    )
    yield must.index(everyone, patience=300)
    for to, which in ((settings.test_mailbox, "in"), (settings.test_outside, "out")):
        if to:
            yield Command(core, mail.send(settings.work, settings.address, to), f"send mail, {which}")
            yield Check(
                everyone,
                mail.delivered(to),
                mail.sent,
                f"mail {which}: {to}",
                "look in Postfix's log and at postqueue -p",
                patience=120,
            )
        else:
            yield Manual(
                core, f"mail-{which}", f"send a message {MAIL[which]} and say who has seen that it arrived"
            )


MAIL = {"in": "from outside to a user", "out": "from a user to an address outside"}


@step("Freeze the version", AFTERWARDS)
def freeze(settings: Settings) -> Iterator[Action]:
    if settings.freeze:
        yield _freeze(settings)
    yield from _show_repositories(settings, "repository")


@step("Before and after", AFTERWARDS)
def before_and_after(settings: Settings) -> Iterator[Action]:
    """What was saved stays on the servers, under its date."""
    for server in settings.everyone:
        yield Command(
            server,
            f"cat {settings.work}/candidates; echo -- now; {INSTALLED}",
            "versions",
            read=must.read_versions,
        )
        yield Command(server, own_files.archive(settings.work), "keep the saved configuration under its date")
    if settings.recover_wizard:
        yield Manual(
            settings.core,
            "setup-password",
            f"read the new password of /setup in {settings.work}/setup-password on {settings.core}, keep it in a safe place",
        )
        yield Command(settings.core, f"rm -f {settings.work}/setup-password", "remove it from the server")


def _wizard_access(settings: Settings) -> Check:
    return Check(
        settings.core,
        wizard.access(),
        wizard.protected,
        "password of the setup wizard",
        "have a new one made: recover_wizard: configuration, or htpasswd",
    )


def _signature(settings: Settings) -> Check:
    return Check(
        settings.everyone,
        settings.tool.verify,
        judge.verified,
        "the repository answers and its signature is valid",
        "no route to it: open the firewall; NO_PUBKEY or EXPKEYSIG: import_key; not signed or out of date: tell BlueMind",
    )


def _freeze(settings: Settings) -> Call:
    return Call(
        settings.core,
        "POST",
        f"{api.PREPARE}?version=current",
        "freeze the repositories on what is installed",
        when=releases.has_preparing(settings.core),
    )


def _show_repositories(settings: Settings, title: str) -> Iterator[Command]:
    for server in settings.everyone:
        yield Command(
            server,
            subscription.show(settings.tool.repository),
            title,
            read=subscription.read_repository,
        )


def _fetched(tool: Tool) -> Gauge:
    return Gauge(tool.fetched, f"echo $(($({tool.fetched}) + $({tool.size})))")


def _everywhere(settings: Settings, line: str, title: str, **more: Any) -> Together:
    """The same command on all servers, side by side."""
    return Together(tuple(Command(server, line, title, **more) for server in settings.everyone))


def _wait_for_others(settings: Settings) -> Together:
    return _everywhere(
        settings,
        settings.tool.wait,
        "no other package manager is at work",
        remedy="end it, or wait, then run this cell again",
        ensure=True,
    )


PROCEDURE = Procedure(
    "Updating BlueMind",
    Settings,
    (
        prerequisites,
        backup,
        wizard_access,
        repository_signature,
        points_of_caution,
        save_configuration,
        prepare,
        refresh,
        download,
        begin_maintenance,
        upgrade,
        setup_wizard,
        virtual_hosts,
        compare_configuration,
        verify_service,
        freeze,
        before_and_after,
    ),
    UPDATING_BLUEMIND,
)
