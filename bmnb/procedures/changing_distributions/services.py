"""Services of a server: stopped for good, running, and PostgreSQL by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bmnb.bluemind import durations, proofs
from bmnb.bluemind import services as reports
from bmnb.procedures.checks import nothing_printed
from bmnb.steps import TRUE_OR_FALSE, Action, Check, Command, Condition
from bmnb.transfer import guards
from bmnb.transfer.programs import postgres


def stop(server: str) -> Iterator[Command]:
    """Stop services and keep them from coming back with a restart of the server."""
    yield Command(server, "bmctl stop", "stop BlueMind", ensure=True)
    yield Command(server, "service postfix stop", "stop Postfix", ensure=True)
    yield Command(
        server, "systemctl disable --no-reload bluemind.target postfix", "keep them stopped after a restart"
    )


def stop_again(server: str) -> Iterator[Command]:
    """Stop what is not stopped: `bmctl stop` would also take PostgreSQL down."""
    states = (
        "active --quiet bluemind.target",
        "active --quiet postfix",
        "enabled --quiet bluemind.target postfix",
    )
    for command, state in zip(stop(server), states, strict=True):
        yield replace(command, when=Condition(server, f"systemctl is-{state} || false", "it is so already"))


def stopped(server: str) -> Check:
    return Check(
        server,
        reports.STATUS,
        reports.services_stopped,
        f"services of {server} are stopped",
        "stop the service that is named, then run this cell again",
        # bmctl returns when systemd has stopped the target alone
        patience=300,
    )


def own_time(server: str) -> Check:
    return Check(
        server,
        durations.SHOW,
        durations.tell,
        f"how long BlueMind takes to start and to stop on {server}",
    )


def stays_stopped(server: str, reopens: str) -> Check:
    """What was stopped by an earlier step is so still."""
    return Check(
        server,
        reports.STATUS_AND_START,
        reports.services_stay_stopped,
        f"services of {server} stay stopped",
        "find out who has started or enabled them: they are stopped again",
        reopens=reopens,
    )


def running(server: str) -> Check:
    return Check(
        server,
        reports.STATUS,
        reports.services_running,
        f"services of {server} are running",
        "look at journalctl -xe -u SERVICE on the server",
        patience=300,
    )


def restart(target: str, folder: str, trees: Sequence[str]) -> Iterator[Action]:
    """Restart the target, and see that what was mounted is mounted again."""
    before = f"{folder}/before-restart"
    remember = f"rm -f {before}/trees\n{guards.mark_trees(before, trees)}"
    yield Command(target, remember, "remember what is mounted where")
    yield Command(target, proofs.reboot(folder), "restart", farewell=True)
    yield Check(
        target,
        proofs.rebooted(folder),
        proofs.is_back,
        "the target is back",
        patience=600,
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        target,
        guards.compare_trees(before, trees),
        nothing_printed,
        "the trees are those of before the restart",
        "mount what is missing, and see that it is mounted when the server starts; then run this cell again",
        patience=60,
    )


def start_postgresql(server: str) -> Command:
    # bmctl stop takes PostgreSQL down with it on releases driven by systemd.
    return Command(server, postgres.START_UNIT, "start PostgreSQL", ensure=True)
