"""What must hold on a platform of one or several servers before it is updated, and how it is observed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from bmnb.bluemind import api, hot_upgrades, overruled, proofs, releases, services, subscription, support
from bmnb.packages import Tool, judge
from bmnb.packages.tool import INSTALLED
from bmnb.procedures.checks import all_root, done, no_job_runs
from bmnb.steps import TRUE_OR_FALSE, Action, Call, Check, Result, Row, Verdict
from bmnb.transfer import access

FREE_BYTES = 512 * 2**20
"""Free space in /var under which nothing is begun; what the packages need is computed once they are known."""
BOOT_BYTES = 100 * 2**20
"""Free space in a /boot of its own: one kernel with its initrd, which is written beside the old one."""


def servers(everyone: tuple[str, ...], tool: Tool) -> Iterator[Action]:
    """Different servers, as root, of a known distribution that nobody is about to change."""
    yield Check(
        everyone,
        "id -u",
        all_root,
        "root on every server",
        "log in as root: see User in the ssh configuration",
    )
    yield Check(
        everyone, "cat /etc/machine-id", all_different, "different machines", "two names lead to one machine"
    )
    yield Check(
        everyone,
        judge.distribution(tool),
        partial(judge.known_distribution, tool),
        "distribution",
        "set package_tool to what the servers have; other distributions are not for this procedure",
    )
    yield Check(
        everyone,
        tool.releases,
        judge.same_release,
        "no upgrade of Linux itself",
        "an upgrade of the distribution may change what BlueMind depends on: set the package sources back to the "
        "release that runs; to move on, use the procedure “Changing distributions”",
    )
    yield Check(
        everyone,
        f"for path in /var /var/log /var/lib {access.WORK}; do "
        '[ ! -d "$path" ] || df -B1 --output=target,avail "$path" | tail -n 1; done | sort -u; '
        "! mountpoint -q /boot || df -B1 --output=target,avail /boot | tail -n 1",
        room_to_begin,
        "free space in /var",
        "make room: packages, databases and logs all need it, and a new kernel does in /boot: apt-get autoremove takes "
        "the oldest away",
    )


def bluemind(
    core: str, everyone: tuple[str, ...], wanted: str, to_major: str, tool: Tool
) -> Iterator[Action]:
    """The same BlueMind on all, running, with a valid subscription and no job under way."""
    yield Check(
        everyone,
        INSTALLED,
        judge.same_version,
        "same version on all servers",
        "bring the server that differs to the version of the others first; where it has the new version already, the "
        "update brings the others to it",
        decision="differing-versions",
        answers=(0, 1, 127),
    )
    yield Call(
        core, "GET", api.STATE, "BlueMind's state", judge=api.is_running, remedy="start BlueMind: bmctl start"
    )
    yield Call(
        core,
        "GET",
        api.VERSION,
        "no earlier update is unfinished",
        judge=proofs.versions_agree,
        remedy="end that one first: run the setup wizard",
    )
    yield _major_version(core, wanted, to_major)
    yield Call(
        core,
        "GET",
        api.SERVERS,
        "all servers of the platform are named",
        judge=partial(all_named, len(everyone)),
        remedy="name each server under core or servers",
    )
    yield Check(
        core,
        subscription.ask(tool.repository),
        subscription.valid,
        "valid subscription",
        subscription.REMEDY,
        answers=TRUE_OR_FALSE,
    )
    yield last_update(core)
    yield no_job_runs(core)
    yield from hot_upgrades_before(core)
    yield index(everyone)


def _major_version(core: str, wanted: str, to_major: str) -> Call:
    if to_major:
        return Call(
            core,
            "GET",
            api.VERSION,
            "the major version before it is installed",
            judge=partial(releases.is_before, to_major),
            remedy=releases.NOT_BEFORE,
        )
    return Call(
        core,
        "GET",
        api.VERSION,
        "not a major upgrade",
        judge=partial(releases.leads_to, wanted),
        remedy=releases.TO_MAJOR,
    )


def hot_upgrades_before(core: str) -> Iterator[Call]:
    """What an earlier update has left to do is neither at work nor broken."""
    exist = hot_upgrades.exist(core)
    yield Call(
        core,
        "GET",
        hot_upgrades.RUNNING,
        "no hot upgrade runs",
        judge=hot_upgrades.none_runs,
        remedy="wait until it has ended, then run this cell again",
        when=exist,
    )
    yield Call(
        core,
        "POST",
        hot_upgrades.LIST,
        "no hot upgrade has failed",
        body=hot_upgrades.ALL,
        judge=hot_upgrades.none_failed,
        remedy="mend it first: BlueMind may refuse an update over it; bm-cli hotupgrade start begins it again",
        when=exist,
    )


def packages(everyone: tuple[str, ...], tool: Tool) -> Iterator[Action]:
    """Repositories are registered, nothing is held back, nginx accepts what it has."""
    yield Check(
        everyone,
        subscription.show_or_find(tool.repository),
        subscription.registered,
        "BlueMind's repository is registered",
        "install the subscription's file on every server, in the form and under the name in which BlueMind gives it",
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        everyone,
        tool.broken,
        judge.nothing_broken,
        "no package is half installed",
        "complete it first: dpkg --configure -a, then apt-get -f install; or dnf remove --duplicates",
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        everyone,
        tool.sources,
        judge.readable,
        "every other package source answers",
        "mend the source that is named, or disable it until the update is over; an expired key is renewed by its publisher",
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        everyone,
        tool.held,
        judge.nothing_held,
        "no package of BlueMind is on hold",
        "apt-mark unhold PACKAGE, or yum versionlock delete PACKAGE; a pin is in /etc/apt/preferences.d, an exclusion in "
        "/etc/dnf/dnf.conf",
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        everyone,
        "! test -d /etc/nginx || nginx -t 2>&1",
        all_done,
        "nginx accepts its configuration",
        "mend the file that is named: after the update nginx could not start with it",
        answers=TRUE_OR_FALSE,
    )
    yield mail_configuration(everyone)


def last_update(core: str) -> Check:
    return Check(core, support.LINE, support.told, "last update of BlueMind's packages")


def mail_configuration(everyone: tuple[str, ...]) -> Check:
    """Before the update and after it; what was accepted before it counts as long as nothing else is seen."""
    return Check(
        everyone,
        overruled.lines(len(everyone)),
        overruled.differing,
        "Postfix has what BlueMind's configuration says",
        "enter it in the administration console, whose next Save overwrites it on the servers, or put the map back into main.cf",
        decision="edited-postfix",
    )


def index(everyone: tuple[str, ...], patience: float = 0.0) -> Check:
    return Check(
        everyone,
        "curl -q -s --noproxy '*' --max-time 10 http://127.0.0.1:9200/_cluster/health || echo none",
        index_state,
        "state of the index",
        "free space, then see Elasticsearch's log; BlueMind refuses an update while its index is not green",
        patience=patience,
    )


def index_state(*found: Result) -> Verdict:
    """Elasticsearch answers on one server at least, and is green wherever it does."""
    told = {one.host: json.loads(one.stdout)["status"] for one in found if one.stdout.startswith("{")}
    return Verdict(
        bool(told) and set(told.values()) == {"green"},
        ", ".join(f"{state} on {host}" for host, state in told.items()) or "it answers on no server",
    )


def all_different(*found: Result) -> Verdict:
    ids = [one.stdout.strip() for one in found]
    return Verdict(all(ids) and len(set(ids)) == len(ids), ", ".join(one[:8] or "none" for one in ids))


def all_done(*found: Result) -> Verdict:
    wrong = [f"{one.host}: {done(one).seen}" for one in found if not one.ok]
    return Verdict(not wrong, "; ".join(wrong) or "yes")


def room_to_begin(*found: Result) -> Verdict:
    rows = [(one.host, *line.split()) for one in found for line in one.stdout.splitlines()]
    short = [
        f"{mount} on {host} has {int(free) / 1e6:,.0f} MB"
        for host, mount, free in rows
        if int(free) < (BOOT_BYTES if mount == "/boot" else FREE_BYTES)
    ]
    least = min(int(free) for _, _, free in rows)
    return Verdict(not short, "; ".join(short) or f"at least {least / 1e6:,.0f} MB")


def all_named(number: int, topology: Any) -> Verdict:
    names = [f"{one['uid']} ({one['value'].get('ip') or one['value'].get('fqdn')})" for one in topology]
    told = ", ".join(names) or "no server"
    return Verdict(
        len(names) == number, told if len(names) == number else f"{number} named, the platform has {told}"
    )


def services_as_before(told: Result) -> Verdict:
    """Services that ran before the update run again; one that is new is none of its business."""
    before, _, now = told.stdout.partition("-- now\n")
    ran = {name for name, state in services.states(before).items() if state == "is running"}
    runs = {name for name, state in services.states(now).items() if state == "is running"}
    missing = sorted(ran - runs)
    if not runs:
        return Verdict(False, "bmctl status lists no service that runs")
    return Verdict(
        not missing, f"not running: {', '.join(missing)}" if missing else f"{len(runs)} services running"
    )


def services_that_stay(told: Result) -> Verdict:
    """Those that ran and are still there run again; that others are gone is the new major version's doing, and is told."""
    before, _, now = told.stdout.partition("-- now\n")
    ran, there = services.states(before), services.states(now)
    gone = sorted(set(ran) - set(there))
    kept = "".join(line for line in before.splitlines(True) if not set(services.states(line)) & set(gone))
    found = services_as_before(Result(told.host, told.line, told.exit, f"{kept}-- now\n{now}"))
    return Verdict(found.holds, f"{found.seen}; no more there: {', '.join(gone)}" if gone else found.seen)


def read_versions(told: Result) -> Row:
    """Columns: BlueMind's version before and after, and how many packages of which kind were updated."""
    noted, _, now = told.stdout.partition("-- now\n")
    rows = judge.upgrades(Result(told.host, "", 0, noted))
    own = [row for row in rows if judge.is_bluemind(row[0])]
    return {
        "before": judge.own_version({name: old for name, old, _ in own}),
        "after": judge.own_version(judge.installed(Result(told.host, "", 0, now))),
        "packages of BlueMind": len(own),
        "others": len(rows) - len(own),
    }
