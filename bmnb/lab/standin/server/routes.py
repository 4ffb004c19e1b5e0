"""The part of the REST API that the procedures use: method, path, and what answers."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass
from typing import Any, Callable

from . import configuration, directory, firewall, hotupgrades, installation, jobs, maps, sessions, tasks
from .here import log, variant


@dataclass(frozen=True)
class Request:
    """Parts of the path, query, body and key of a call."""

    parts: tuple[str, ...]
    query: dict[str, str]
    body: Any
    key: str


Answer = Callable[[Request], Any]

ANONYMOUS = {
    "/api/auth/login",
    "/api/system/installation/state",
    "/api/system/installation/_infos",
}
"""Paths that need no key."""


def routes() -> list[tuple[str, str, Answer]]:
    found = [*AUTHENTICATION, *INSTALLATION, *TOPOLOGY, *PEOPLE, *WORK]
    found.append(("POST", variant().firewall, lambda r: tasks.start(_firewall)))
    return [*found, *ONLY_IN_4] if variant().cyrus else found


def find(method: str, path: str) -> tuple[Answer, tuple[str, ...]] | None:
    for wanted, pattern, answer in routes():
        matched = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", pattern), path)
        if matched and wanted == method:
            return answer, tuple(urllib.parse.unquote(part) for part in matched.groups())
    return None


def _firewall(say: tasks.Say) -> None:
    firewall.update(configuration.values().get("fwAdditionalIPs", ""), say)


def _reset_indexes(request: Request) -> Any:
    """Nothing in 4.x, a task from 5.x on."""
    return None if variant().cyrus else tasks.start(lambda say: say("indexes are reset"))


def _say(line: str) -> Answer:
    """A task that has nothing to do in the stand-in."""
    return lambda request: tasks.start(lambda say: say(line))


def _maintenance(state: str) -> Answer:
    return lambda request: installation.enter(state)


def _job_control(word: str) -> Answer:
    return lambda request: log("n.b.s.s.i.JobService", f"{word} {request.parts[0]}")


AUTHENTICATION: list[tuple[str, str, Answer]] = [
    ("POST", "/api/auth/login", lambda r: sessions.login(r.query.get("login", ""), r.body)),
    ("POST", "/api/auth/_su", lambda r: sessions.act_as(r.query["login"], r.key)),
    ("POST", "/api/auth/logout", lambda r: sessions.logout(r.key)),
    ("GET", "/api/auth/ping", lambda r: None),
    ("GET", "/api/auth", lambda r: sessions.user()),
]

BASE = "/api/system/installation"
INSTALLATION: list[tuple[str, str, Answer]] = [
    ("GET", f"{BASE}/state", lambda r: installation.state()),
    ("PUT", f"{BASE}/state/_maintenance", _maintenance(installation.MAINTENANCE)),
    ("DELETE", f"{BASE}/state/_maintenance", _maintenance(installation.RUNNING)),
    ("GET", f"{BASE}/_infos", lambda r: installation.infos()),
    ("GET", f"{BASE}/version", lambda r: installation.version()),
    ("GET", f"{BASE}/subscription", lambda r: installation.subscription()),
    ("GET", f"{BASE}/subscriptionKind", lambda r: installation.subscription()["kind"]),
    ("GET", f"{BASE}/subscriptionProductiveValid", lambda r: installation.subscription()["valid"]),
    ("POST", f"{BASE}/subscription/_version", lambda r: installation.prepare(r.query["version"])),
    ("GET", f"{BASE}/_subscriptionContacts", lambda r: installation.contacts()),
    ("POST", f"{BASE}/_subscriptionContacts", lambda r: installation.set_contacts(r.body)),
    ("GET", f"{BASE}/_upgrade", lambda r: {"state": "OK", "message": None}),
    ("POST", f"{BASE}/_upgrade", lambda r: tasks.start(installation.upgrade)),
    ("POST", f"{BASE}/_postinst", lambda r: tasks.start(installation.post_install)),
    ("POST", f"{BASE}/_resetIndexes", _reset_indexes),
    ("POST", f"{BASE}/{{index}}/_resetIndex", _reset_indexes),
    ("POST", f"{BASE}/{{ip}}/ping", lambda r: installation.ping_node(r.parts[0])),
    ("GET", "/api/hot_upgrade/running", lambda r: hotupgrades.running()),
    ("GET", "/api/hot_upgrade/progress", lambda r: hotupgrades.progress()),
    ("POST", "/api/hot_upgrade/list", lambda r: hotupgrades.listed(r.body or {})),
    ("PUT", "/api/mgmt/schema/_verify", _say("schema verified")),
]

TOPOLOGY: list[tuple[str, str, Answer]] = [
    ("GET", "/api/servers/default/_complete", lambda r: directory.servers()),
    ("GET", "/api/servers/default/{domain}/assignments", lambda r: directory.assignments(r.parts[0])),
    (
        "POST",
        "/api/servers/default/{uid}",
        lambda r: tasks.start(lambda say: directory.update_server(r.parts[0], r.body)),
    ),
    ("GET", "/api/configuration", lambda r: {"values": configuration.values()}),
    ("POST", "/api/configuration", lambda r: configuration.save(r.body)),
    ("POST", "/api/system/maildelivery/mgmt/_repair", lambda r: tasks.start(maps.repair)),
]

PEOPLE: list[tuple[str, str, Answer]] = [
    ("GET", "/api/domains", lambda r: directory.domains()),
    ("GET", "/api/users/{domain}/_alluids", lambda r: directory.uids("t_domain_user", r.parts[0])),
    ("GET", "/api/groups/{domain}/_alluids", lambda r: directory.uids("t_group", r.parts[0])),
    ("GET", "/api/mailboxes/{domain}/_list", lambda r: directory.mailboxes(r.parts[0])),
    ("GET", "/api/mailboxes/{domain}/_listUids", lambda r: directory.uids("t_mailbox", r.parts[0])),
    ("POST", "/internal-standin/password", lambda r: sessions.change_password(r.body)),
    ("GET", "/internal-standin/emails/{domain}", lambda r: directory.emails(r.parts[0])),
]

WORK: list[tuple[str, str, Answer]] = [
    ("GET", "/api/tasks/{id}", lambda r: tasks.find(r.parts[0]).status()),
    (
        "GET",
        "/api/tasks/{id}/_currentLogs",
        lambda r: tasks.find(r.parts[0]).lines[int(r.query.get("offset", 0)) :],
    ),
    ("GET", "/api/tasks/{id}/_log", lambda r: tasks.follow(tasks.find(r.parts[0]))),
    ("POST", "/api/scheduledjobs/_searchJob", lambda r: jobs.search(r.body)),
    ("POST", "/api/scheduledjobs/_searchExecution", lambda r: jobs.executions(r.body)),
    ("POST", "/api/scheduledjobs/_logs", lambda r: []),
    ("GET", "/api/scheduledjobs/_job/{id}", lambda r: jobs.job(r.parts[0])),
    ("POST", "/api/scheduledjobs/_start/{id}", _job_control("start")),
    ("DELETE", "/api/scheduledjobs/_cancel/{id}", _job_control("cancel")),
    ("GET", "/api/dataprotect/generations", lambda r: jobs.generations()),
]

ONLY_IN_4: list[tuple[str, str, Answer]] = [
    ("POST", "/api/mailboxes/{domain}/_check-all", _say("mailboxes checked")),
    ("POST", "/api/mailboxes/{domain}/_check-and-repair-all", _say("mailboxes repaired")),
]
