"""The update procedure: packages, setup wizard, virtual hosts. Users are cut off."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.bluemind import api, logs, own_files, proofs, wizard
from bmnb.packages import judge
from bmnb.packages.tool import INSTALLED
from bmnb.procedures.checks import no_job_runs
from bmnb.procedures.updating_bluemind import requirements as must
from bmnb.procedures.updating_bluemind.everywhere import complete, everywhere, wait_for_others
from bmnb.procedures.updating_bluemind.going_back import undo_upgrade
from bmnb.procedures.updating_bluemind.phases import UPDATE
from bmnb.procedures.updating_bluemind.settings import Settings
from bmnb.steps import TRUE_OR_FALSE, Action, Call, Check, Command, Condition, Manual, step


@step("Begin the maintenance", UPDATE)
def begin_maintenance(settings: Settings) -> Iterator[Action]:
    core = settings.core
    yield Check(
        settings.everyone,
        f'now=$({settings.upgradable}) || exit 2; diff {settings.work}/candidates - <<< "$now"; differ=$?\n'
        f"echo -- now; {INSTALLED}; exit $differ",
        judge.same_candidates,
        "the repository still has what was found",
        "the repository has moved on since, or another has updated packages: begin a new run",
        answers=TRUE_OR_FALSE,
    )
    yield no_job_runs(core)
    yield from must.hot_upgrades_before(core)
    yield Manual(
        core,
        "start-update",
        f"users of {core} are cut off until the setup wizard has ended; {settings.way_back}",
        expect=core,
    )
    yield everywhere(
        settings,
        own_files.save_again(settings.work),
        "save configuration, services and settings as they are now",
    )
    yield Command(core, wizard.note_databases(settings.work), "note the version of the databases")
    yield Command(core, logs.remember(settings.work), "remember how far the logs have come")


@step("Update the packages", UPDATE, undo=undo_upgrade)
def upgrade(settings: Settings) -> Iterator[Action]:
    tool, everyone = settings.tool, settings.everyone
    yield wait_for_others(settings)
    yield from complete(settings)
    yield everywhere(
        settings,
        tool.full_upgrade if settings.full_upgrade else tool.upgrade,
        "update the packages",
        env=tool.env,
        remedy="mend the cause and run this cell again: it completes this server, the others are not repeated; "
        + settings.way_back,
    )
    yield Check(
        everyone,
        tool.broken,
        judge.nothing_broken,
        "no package is half installed",
        "run dpkg --configure -a on the server that is named, then this cell again",
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        everyone,
        tool.newer,
        judge.none_left,
        "no package of BlueMind is left behind",
        "its dependencies have changed: upgrade it by name on that server, then run this cell again",
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        everyone,
        INSTALLED,
        judge.same_version,
        "same version on all servers",
        "update the packages of the server that differs, then run this cell again",
        answers=(0, 1, 127),
    )


@step("Setup wizard", UPDATE)
def setup_wizard(settings: Settings) -> Iterator[Action]:
    core, folder = settings.core, settings.work
    remedy = (
        "users get “maintenance” until it succeeds: mend what core.log and webserver.log say, then run this cell "
        "again; the way back is the backup"
    )
    updated = Condition(core, wizard.has_updated(), "the databases are not of the software's version")
    yield Command(core, wizard.begin(folder), "note that the databases change from here on")
    if settings.setup_wizard == "bm-cli":
        # 3 with “Success” was seen where all was well: the text and BlueMind's state are looked at next
        yield Command(
            core, wizard.update(folder), "update (bm-cli)", accept=(0, 3), proof=updated, remedy=remedy
        )
        yield Check(
            core,
            wizard.text(folder),
            wizard.success,
            "bm-cli says that it succeeded",
            remedy,
            answers=TRUE_OR_FALSE,
        )
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
