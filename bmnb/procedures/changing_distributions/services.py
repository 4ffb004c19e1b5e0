"""Services of a server: stopped for good, running, and PostgreSQL by itself."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.bluemind import services as reports
from bmnb.steps import Check, Command, Condition


def active(server: str) -> Condition:
    """That there is something for `bmctl stop` to stop, which would also take PostgreSQL down."""
    line = "systemctl is-active --quiet bluemind.target || false"
    return Condition(server, line, "it is stopped, and PostgreSQL stays up")


def stop(server: str, when: Condition | None = None) -> Iterator[Command]:
    """Stop services and keep them from coming back with a restart of the server."""
    yield Command(server, "bmctl stop", "stop BlueMind", when=when, ensure=True)
    yield Command(server, "service postfix stop", "stop Postfix", ensure=True)
    yield Command(server, "systemctl disable bluemind.target postfix", "keep them stopped after a restart")


def stopped(server: str) -> Check:
    return Check(
        server,
        reports.STATUS,
        reports.services_stopped,
        f"services of {server} are stopped",
        "stop the service that is named, then run this cell again",
        patience=60,
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


def start_postgresql(server: str) -> Command:
    # bmctl stop takes PostgreSQL down with it on releases driven by systemd.
    return Command(server, "systemctl start postgresql", "start PostgreSQL", ensure=True)
