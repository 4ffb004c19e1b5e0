"""Prerequisites: nothing is touched, and what is missing is told at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bmnb.bluemind import api, backups, mail, releases, repository, virtual_folders, wizard
from bmnb.packages import judge
from bmnb.procedures.checks import done, url_answers
from bmnb.procedures.updating_bluemind import requirements as must
from bmnb.procedures.updating_bluemind.everywhere import everywhere
from bmnb.procedures.updating_bluemind.phases import PREREQUISITES
from bmnb.procedures.updating_bluemind.settings import Settings
from bmnb.steps import TRUE_OR_FALSE, Action, Call, Check, Command, Manual, step


@step("Prerequisites on all servers", PREREQUISITES)
def prerequisites(settings: Settings) -> Iterator[Action]:
    """Everything is checked before anything is touched, and reported at once."""
    tool = settings.tool
    yield from must.servers(settings.everyone, tool)
    yield from must.bluemind(settings.core, settings.everyone, settings.version, settings.to_major, tool)
    yield from must.packages(settings.everyone, tool)
    yield replace(
        url_answers(settings.core, settings.address),
        title="the platform answers at its address",
        remedy="set address to where users reach the platform",
        patience=0.0,
    )
    if settings.test_mailbox:
        yield Check(
            settings.core,
            mail.ask(settings.address, settings.test_mailbox),
            mail.accepted,
            "the test mailbox is known",
            "set test_mailbox to an address of the platform, or leave it empty",
        )
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
        yield Check(
            core,
            "command -v gpg",
            done,
            "gpg is there to show the key",
            "apt install gpg",
            answers=TRUE_OR_FALSE,
        )
        yield Command(
            core, repository.fetch(folder, settings.key_address), "fetch the key", read=repository.read_key
        )
        yield Manual(
            core,
            "repository-key",
            "the fingerprint shown is the one that BlueMind gives for its repository; say who compared it",
        )
        yield everywhere(
            settings,
            repository.install(),
            "take the key for this repository alone",
            feed=(core, repository.show(folder)),
        )
    yield _signature(settings)


@step("Points of caution", PREREQUISITES)
def points_of_caution(settings: Settings) -> Iterator[Action]:
    core, folder = settings.core, settings.work
    deletes_folders = releases.installed_is(r"4\.0", "only an update from 4.0 deletes virtual folders", core)
    yield Command(core, virtual_folders.note(folder), "note the virtual folders", when=deletes_folders)
    yield Check(
        core,
        virtual_folders.LIST,
        virtual_folders.by_user,
        "virtual folders in users' inboxes",
        "the update to 4.1 deletes them: have their users move them out of the inbox in Outlook, then run this "
        "cell again",
        when=deletes_folders,
        decision="lose-virtual-folders",
    )
    yield Command(
        core, virtual_folders.note_moved(folder), "note which ones were moved", when=deletes_folders
    )


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
        "no route to it: open the firewall, or mend the proxy that apt is told to use; NO_PUBKEY or EXPKEYSIG: import_key; not signed or out of date: tell BlueMind",
        answers=TRUE_OR_FALSE,
    )
