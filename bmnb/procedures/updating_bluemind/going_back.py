"""The way back: the kept packages until the setup wizard has begun, the backup from then on."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.bluemind import api, own_files, proofs, wizard
from bmnb.packages import judge
from bmnb.packages import tool as packages
from bmnb.packages.tool import INSTALLED, PACKAGES
from bmnb.procedures.checks import url_answers
from bmnb.procedures.updating_bluemind import requirements as must
from bmnb.procedures.updating_bluemind.everywhere import (
    everywhere,
    freeze_repositories,
    wait_for_others,
)
from bmnb.procedures.updating_bluemind.settings import Settings
from bmnb.steps import TRUE_OR_FALSE, Action, Call, Check, Condition, Manual


def undo_save(settings: Settings) -> Iterator[Action]:
    """Before what it needs for that goes."""
    yield from _put_back_where_updated(settings)
    yield everywhere(settings, f"rm -rf {settings.kept}", "remove the kept packages")


def undo_prepare(settings: Settings) -> Iterator[Action]:
    """BlueMind freezes no repository while its servers differ."""
    yield from _put_back_where_updated(settings)
    yield Call(settings.core, "GET", api.STATE, "BlueMind's state", judge=api.is_running, patience=600)
    yield freeze_repositories(settings)


def _put_back_where_updated(settings: Settings) -> Iterator[Action]:
    """A server that somebody has updated meanwhile goes back with the others, and so does its configuration."""
    if settings.keep_packages:
        kept = settings.kept
        back = f"({packages.put_back(kept, settings.tool)}) && ({own_files.put_back(settings.work)}) && bmctl restart"
        yield everywhere(
            settings,
            f"[ ! -d {kept} ] || {{ {packages.as_kept(kept)}; }} || {{ {back}; }}",
            "put former packages back where they are not as they were kept",
            env=settings.tool.env,
            when=_as_before(settings),
            remedy=TO_GO_ON,
        )


def undo_upgrade(settings: Settings) -> Iterator[Action]:
    """The databases tell which way it is: once they have moved, older packages cannot read them."""
    core, folder = settings.core, settings.work
    moved = Condition(core, wizard.databases_are("!=", folder), "the setup wizard has not begun")
    yield Manual(
        core,
        "restore-backup",
        "restore the full backup of every server that was named before the update; say who has done it",
        when=moved if settings.keep_packages else None,
    )
    if settings.keep_packages:
        yield from put_back(settings)
    yield Call(core, "GET", api.STATE, "BlueMind's state", judge=api.is_running, patience=600)
    yield Call(core, "GET", api.VERSION, "version of software and database", judge=proofs.versions_agree)
    yield Check(
        settings.everyone,
        INSTALLED,
        judge.same_version,
        "same version on all servers",
        "restore the backup of the server that differs as well",
        decision="differing-versions",
        answers=(0, 1, 127),
    )
    yield url_answers(core, settings.address)


def put_back(settings: Settings) -> Iterator[Action]:
    """Packages, configuration and services as they were at the beginning of the maintenance."""
    folder, tool, kept = settings.work, settings.tool, settings.kept
    as_before = _as_before(settings)
    yield wait_for_others(settings)
    yield everywhere(
        settings,
        f"{EARLIER_RELEASE.format(kept=kept, folder=folder)}\n{packages.put_back(kept, tool)}",
        "put the former packages back",
        env=tool.env,
        when=as_before,
        remedy=TO_GO_ON,
    )
    yield Check(
        settings.everyone,
        f"{PACKAGES} | diff {kept}/installed -",
        judge.as_saved,
        "the packages are those from before",
        f"install the files in {settings.kept} on the server that is named, then the same command again",
        when=as_before,
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        settings.everyone,
        tool.broken,
        judge.still_broken,
        "other packages",
        when=as_before,
        answers=TRUE_OR_FALSE,
    )
    yield everywhere(settings, own_files.put_back(folder), "put the saved configuration back", when=as_before)
    yield everywhere(settings, "bmctl restart", "start BlueMind in its former version", when=as_before)
    for server in settings.everyone:
        yield Check(
            server,
            own_files.services(folder),
            must.services_as_before,
            "services that ran before run again",
            "look at journalctl -xe -u SERVICE on the server",
            when=as_before,
            patience=300,
        )


def _as_before(settings: Settings) -> Condition:
    return Condition(
        settings.core,
        wizard.databases_are("=", settings.work),
        "the databases have changed: only the backup is left",
    )


TO_GO_ON = "mend the cause, then the same command again: it goes on with this server"

# release 0.1 noted what was installed with the configuration alone
EARLIER_RELEASE = "[ -e {kept}/installed ] || cp {folder}/before/state/packages {kept}/installed"
