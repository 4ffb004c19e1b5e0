"""Operations that can be carried out in production: lists of packages, and the download."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bmnb.bluemind import releases
from bmnb.packages import Tool, judge
from bmnb.procedures.updating_bluemind.everywhere import everywhere, wait_for_others
from bmnb.procedures.updating_bluemind.phases import PRODUCTION
from bmnb.procedures.updating_bluemind.requirements import all_done
from bmnb.procedures.updating_bluemind.settings import Settings
from bmnb.steps import TRUE_OR_FALSE, Action, Check, Condition, Gauge, Manual, step


@step("Update the lists of packages", PRODUCTION)
def refresh(settings: Settings) -> Iterator[Action]:
    tool, everyone = settings.tool, settings.everyone
    yield wait_for_others(settings)
    yield everywhere(
        settings,
        tool.refresh,
        "read the lists of packages",
        ensure=True,
        env=tool.env,
        remedy="see that the repository is reachable from this server and its signature is valid",
    )
    yield Check(
        everyone,
        judge.with_installed(settings.upgradable),
        judge.candidates,
        "the same new version for every server",
        "prepare the update (System Management > Update BlueMind), or nothing newer is published; "
        "where packages are left out because of dependencies, full_upgrade takes them in",
        answers=TRUE_OR_FALSE,
    )
    yield _major_version(settings)
    yield Check(
        everyone,
        judge.one_and_other(tool.newer, settings.upgradable),
        judge.none_left_out,
        "no package of BlueMind is left out",
        "its dependencies have changed: full_upgrade takes it in, or see what the package tool says when it is to install it",
        answers=TRUE_OR_FALSE,
    )
    yield Check(everyone, settings.upgradable, judge.listed_apart, "what comes", answers=TRUE_OR_FALSE)
    yield Check(
        everyone,
        settings.upgradable,
        judge.nothing_removed,
        "no package is removed",
        "have what is still needed kept: apt-mark manual PACKAGE on that server",
        decision="remove-packages",
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        everyone,
        judge.space(tool),
        judge.enough_space,
        "space for packages",
        "make room on the file system that is named",
    )


def _major_version(settings: Settings) -> Check:
    to_major = settings.to_major
    return Check(
        settings.everyone,
        settings.upgradable,
        partial(releases.comes_to, to_major) if to_major else releases.within_major,
        "the new major version comes" if to_major else "no major upgrade",
        releases.NOT_OFFERED if to_major else releases.TO_MAJOR,
        answers=TRUE_OR_FALSE,
    )


@step("Points of caution of the new version", PRODUCTION)
def read_cautions(settings: Settings) -> Iterator[Action]:
    """As soon as it is known which version comes."""
    core = settings.core
    yield Manual(
        core,
        "points-of-caution",
        "read BlueMind's page on what to watch out for in the new version, and its release notes; say who has, and what is to be done",
        when=Condition(
            core,
            releases.is_important(settings.upgradable),
            "it stays within a release such as 4.9: no important update",
        ),
    )


@step("Download the packages", PRODUCTION)
def download(settings: Settings) -> Iterator[Action]:
    """Services go on; this is what most of the minutes go into."""
    tool = settings.tool
    yield wait_for_others(settings)
    if settings.download_ahead:
        yield everywhere(
            settings,
            tool.full_download if settings.full_upgrade else tool.download,
            "download the packages",
            env=tool.env,
            gauge=_fetched(tool),
            remedy="run this cell again: what is there already is not fetched twice",
        )
        if tool.trial:
            yield Check(
                settings.everyone,
                tool.trial,
                all_done,
                "the packages go together",
                "mend what is named before the window, in which the upgrade would stop at it: make room, or have whoever brought the "
                "other package see to it",
                answers=TRUE_OR_FALSE,
            )
    yield everywhere(
        settings, f"umask 077; ({settings.upgradable}) > {settings.work}/candidates", "note what was found"
    )


def _fetched(tool: Tool) -> Gauge:
    return Gauge(tool.fetched, f"echo $(($({tool.fetched}) + $({tool.size})))")
