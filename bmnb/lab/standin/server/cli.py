"""A stand-in of BlueMind's bm-cli, for rehearsal. It is not BlueMind.

Exit status 51 for a wrong call, 50 for an error; some commands only say their error and end with 0.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable, NoReturn

from . import eligibility, hotupgrades
from .etc import write_monitoring
from .here import TOKEN, variant

CORE = "http://127.0.0.1:8090"
DAY = 86_400_000

Given = argparse.Namespace


class Usage(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        say_error(message)
        sys.exit(51)


def say_error(text: str) -> None:
    print(f"\x1b[31m{text}\x1b[0m", file=sys.stderr)


def ask(method: str, path: str, body: Any = None) -> Any:
    headers = {"X-BM-ApiKey": TOKEN.read_text().strip(), "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(CORE + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def wait(reference: dict[str, str]) -> str:
    """Print a task's lines as they come; return its state."""
    told = 0
    while True:
        status = ask("GET", f"/api/tasks/{reference['id']}")
        lines = ask("GET", f"/api/tasks/{reference['id']}/_currentLogs?offset={told}")
        told += len(lines)
        for line in lines:
            print(line)
        if status["state"] in ("Success", "InError"):
            return str(status["state"])
        time.sleep(0.3)


def check_subscription(given: Given) -> int:
    found = ask("GET", "/api/system/installation/subscription")
    days = int(found["ends"] - time.time() * 1000) // DAY
    known = not any(one["code"] == "InvalidSignature" for one in found["messages"])
    if found["valid"]:
        print(f"OK;{days}")
    else:
        print(f"ERROR;{days}" if known else "ERROR;NONE")
    return 0


def setup_version(given: Given) -> int:
    ask("POST", f"/api/system/installation/subscription/_version?version={given.version}")
    print(f"version set to {given.version}")
    return 0


def setup_upgrade(given: Given) -> int:
    states = [wait(ask("POST", f"/api/system/installation/{call}")) for call in ("_upgrade", "_postinst")]
    good = states == ["Success", "Success"]
    print(f"Upgrade Complete: {'Success' if good else 'Failure'}", file=sys.stderr)
    return 0 if good else 50


def setup_install(given: Given) -> int:
    say_error("this server is installed already; the stand-in knows no --reinstall")
    return 50


def update_firewall(given: Given) -> int:
    if variant().cyrus:
        say_error("Unmatched argument: update-fw")  # the command came with 5.x
        return 51
    state = wait(ask("POST", variant().firewall))
    print("Firewall rules updated")
    return 0 if state == "Success" else 50


REPAIRS = (
    *("mailboxPostfixMaps", "mailboxAcls", "mailboxHsm", "mailboxDefaultFolders", "hollow.directory"),
    *("replication.subtree", "replication.parentUid"),
)


def repair(given: Given) -> int:
    unknown = set(given.ops) - set(REPAIRS)
    if unknown:
        say_error(f"unknown operations: {', '.join(sorted(unknown))}")
        return 0
    if "mailboxPostfixMaps" in given.ops and not given.dry:
        wait(ask("POST", "/api/system/maildelivery/mgmt/_repair"))
    if not given.dry:
        eligibility.repaired("maintenance repair")
    for operation in given.ops:
        print(f"{given.target}: {operation} OK")
    return 0


def check_upgrade_5(given: Given) -> int:
    if not variant().cyrus:
        say_error("Unmatched argument: check-upgrade-5")
        return 51
    return eligibility.check(given.sampling_percentage, ask("POST", "/api/hot_upgrade/list", {}))


def start_hot_upgrades(given: Given) -> int:
    hotupgrades.finish()
    eligibility.repaired("hotupgrade start")
    print("hot upgrades started")
    return 0


def coherency(given: Given) -> int:
    eligibility.repaired("index coherency")
    print(f"{given.target}: index coherent")
    return 0


def operations(given: Given) -> int:
    print("\n".join(REPAIRS))
    return 0


def sysconf_list(given: Given) -> int:
    found = ask("GET", "/api/configuration")["values"]
    wide = max(map(len, found))
    for key, value in [("Attribute", "Value"), *sorted(found.items())]:
        print(f"| {key.ljust(wide)} | {value} |")
    return 0


def sysconf_set(given: Given) -> int:
    ask("POST", "/api/configuration", {given.key: given.value})
    return 0


def sysconf_mset(given: Given) -> int:
    if given.format != "json":
        say_error("the stand-in reads --format json only")
        return 50
    ask("POST", "/api/configuration", json.loads(Path(given.file).read_text()))
    return 0


def node_status(given: Given) -> int:
    for one in ask("GET", "/api/servers/default/_complete"):
        value = one["value"]
        told = f"Server {value['ip']} ({one['uid']} {value['name']} [{', '.join(value['tags'])}])"
        try:
            ask("POST", f"/api/system/installation/{value['ip']}/ping")
        except urllib.error.HTTPError:
            say_error(f"{told} FAILED")
        else:
            print(f"{told} OK")
    return 0


def user_get(given: Given) -> int:
    try:
        found = ask("GET", f"/internal-standin/emails/{given.domain}")
    except urllib.error.HTTPError as error:
        say_error(f"{given.domain}: {error}")
        return 0
    for one in found:
        print(json.dumps({key: one.get(key) for key in given.display.split()}, separators=(",", ":")))
    return 0


def user_update(given: Given) -> int:
    if given.login != "admin0@global.virt":
        say_error("the stand-in changes the password of admin0@global.virt only")
        return 50
    ask("POST", "/internal-standin/password", given.password)
    return 0


def job_list(given: Given) -> int:
    query = {"jobId": given.job} if given.job else {}
    for one in ask("POST", "/api/scheduledjobs/_searchJob", query)["values"]:
        print(json.dumps({"id": one["id"], "status": one["domainStatus"][0]["status"]}))
    return 0


def reconfigure_monitoring(given: Given) -> int:
    [server] = [
        one for one in ask("GET", "/api/servers/default/_complete") if "bm/core" in one["value"]["tags"]
    ]
    write_monitoring(server["value"]["ip"])
    return 0


Option = tuple[str, dict[str, Any]]
COMMANDS: list[tuple[str, Callable[[Given], int], list[Option]]] = [
    ("setup check-subscription", check_subscription, []),
    ("setup version", setup_version, [("version", {})]),
    ("setup upgrade", setup_upgrade, []),
    (
        "setup install",
        setup_install,
        [(f"--{name}", {}) for name in ("external-url", "domain", "sw-pass", "set-contact", "admin0-pass")]
        + [("--reinstall", {"action": "store_true"})],
    ),
    ("maintenance update-fw", update_firewall, []),
    (
        "maintenance repair",
        repair,
        [
            ("target", {}),
            ("--ops", {"type": lambda text: text.split(","), "default": list(REPAIRS)}),
            ("--dry", {"action": "store_true"}),
        ],
    ),
    ("setup check-upgrade-5", check_upgrade_5, [("--sampling-percentage", {"type": int, "default": 10})]),
    (
        "hotupgrade start",
        start_hot_upgrades,
        [("--no-delay", {"action": "store_true"}), ("--scheduled", {"action": "store_true"})],
    ),
    (
        "index coherency",
        coherency,
        [
            ("target", {}),
            *((f"--{name}", {"action": "store_true"}) for name in ("all", "run-consolidate")),
            ("--workers", {"type": int, "default": 1}),
        ],
    ),
    ("maintenance ops", operations, [("target", {})]),
    ("sysconf list", sysconf_list, []),
    ("sysconf set", sysconf_set, [("key", {}), ("--value", {"required": True})]),
    ("sysconf mset", sysconf_mset, [("--format", {"default": "json"}), ("file", {})]),
    ("node status", node_status, []),
    ("tick reconfigure", reconfigure_monitoring, []),
    ("user get", user_get, [("domain", {}), ("--display", {"default": "email uid"})]),
    ("user update", user_update, [("login", {}), ("--password", {"required": True})]),
    ("job list", job_list, [("domain", {}), ("--job", {"default": None})]),
]


def parser() -> Usage:
    top = Usage("bm-cli", description="A stand-in for rehearsal. It is not BlueMind.")
    groups = top.add_subparsers(parser_class=Usage, required=True, metavar="COMMAND")
    made: dict[str, Any] = {}
    for words, work, options in COMMANDS:
        group, name = words.split()
        if group not in made:
            made[group] = groups.add_parser(group).add_subparsers(
                parser_class=Usage, required=True, metavar="COMMAND"
            )
        command = made[group].add_parser(name)
        command.set_defaults(work=work)
        for option, how in options:
            command.add_argument(option, **how)
    return top


def main() -> int:
    given = parser().parse_args()
    try:
        return int(given.work(given))
    except (OSError, ValueError) as error:
        say_error(str(error))
        return 50


if __name__ == "__main__":
    sys.exit(main())
