"""After the update: what it changed, whether BlueMind answers, and the repositories frozen."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.bluemind import api, hot_upgrades, mail, own_files, virtual_folders
from bmnb.packages import judge
from bmnb.packages.tool import INSTALLED
from bmnb.procedures.checks import url_answers
from bmnb.procedures.updating_bluemind import requirements as must
from bmnb.procedures.updating_bluemind.everywhere import everywhere, freeze_repositories, show_repositories
from bmnb.procedures.updating_bluemind.phases import AFTERWARDS
from bmnb.procedures.updating_bluemind.settings import Settings
from bmnb.steps import Action, Call, Check, Command, Condition, Manual, step


@step("Configuration files, compared", AFTERWARDS)
def compare_configuration(settings: Settings) -> Iterator[Action]:
    for server in settings.everyone:
        yield Check(
            server,
            own_files.changes(settings.work, settings.tool.left),
            own_files.what_changed,
            f"what the update changed; in full in {settings.work}/changes.diff",
        )
    yield must.mail_configuration(settings.everyone)


@step("Virtual folders, put back", AFTERWARDS)
def put_back_virtual_folders(settings: Settings) -> Iterator[Action]:
    core = settings.core
    yield Manual(
        core,
        "put-back-virtual-folders",
        "have their users move the folders that are named back into the inbox, where they become folders of mail; say who has seen it",
        when=Condition(
            core, virtual_folders.any_moved(settings.work), "no virtual folder was moved out of an inbox"
        ),
        look=virtual_folders.show_moved(settings.work),
        tell=virtual_folders.read_moved,
    )


@step("BlueMind answers", AFTERWARDS)
def verify_service(settings: Settings) -> Iterator[Action]:
    core, everyone = settings.core, settings.everyone
    yield Check(everyone, INSTALLED, judge.same_version, "same version on all servers", answers=(0, 1, 127))
    for server in everyone:
        yield Check(
            server,
            own_files.services(settings.work),
            must.services_that_stay if settings.to_major else must.services_as_before,
            "services that ran before run again",
            "look at journalctl -xe -u SERVICE on the server",
            patience=300,
        )
    yield Call(core, "GET", api.STATE, "BlueMind's state", judge=api.is_running)
    yield url_answers(core, settings.address)
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


@step("Hot upgrades", AFTERWARDS)
def follow_hot_upgrades(settings: Settings) -> Iterator[Action]:
    """Users work meanwhile; one that is due at night ends when it has run."""
    core = settings.core
    exist = hot_upgrades.exist(core)
    yield Call(
        core,
        "GET",
        hot_upgrades.PROGRESS,
        "how far the hot upgrades are",
        judge=hot_upgrades.progress,
        when=exist,
    )
    yield Call(
        core,
        "POST",
        hot_upgrades.LIST,
        "hot upgrades have ended",
        body=hot_upgrades.ALL,
        judge=hot_upgrades.ended,
        remedy=hot_upgrades.REMEDY,
        when=exist,
        patience=3600,
    )


@step("Freeze the version", AFTERWARDS)
def freeze(settings: Settings) -> Iterator[Action]:
    if settings.freeze:
        yield freeze_repositories(settings)
    yield from show_repositories(settings, "repository")


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
    yield must.last_update(settings.core)
    if settings.keep_packages:
        yield everywhere(settings, f"rm -rf {settings.kept}", "remove the kept packages")
    if settings.recover_wizard:
        yield Manual(
            settings.core,
            "setup-password",
            f"read the new password of /setup in {settings.work}/setup-password on {settings.core}, keep it in a safe place",
        )
        yield Command(settings.core, f"rm -f {settings.work}/setup-password", "remove it from the server")
