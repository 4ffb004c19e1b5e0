"""A subscription that opens the repositories, and what is shown of their address."""

import json
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bmnb.bluemind import subscription
from bmnb.steps import Result


def told(days: float, **more: Any) -> dict[str, Any]:
    ends = (time.time() + days * 86_400) * 1000
    return {"kind": "PROD", "ends": ends, "valid": days > 0, "messages": [], "indicator": [], **more}


def test_days_left_and_accounts_are_shown():
    accounts = [{"kind": "FullUser", "currentValue": 80, "maxValue": 100}]
    assert (
        subscription.by_api(told(200.5, indicator=accounts)).seen == "PROD, 200 days left, accounts 80 of 100"
    )
    assert subscription.by_api(told(10.5)).seen == "PROD, 10 days left, to be renewed"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (told(-1, messages=[{"kind": "Error", "message": "has expired"}]), "has expired"),
        (told(-1), "not valid"),
        (told(200, kind="NONE"), "no subscription"),
        (
            told(200, valid=False, messages=[{"kind": "Error", "message": "not for this distribution"}]),
            "not for this distribution",
        ),
        (
            told(200, indicator=[{"kind": "FullUser", "currentValue": 101, "maxValue": 100}]),
            "FullUser: 101 of 100",
        ),
    ],
)
def test_a_subscription_that_does_not_open_the_repositories(answer: dict[str, Any], says: str):
    verdict = subscription.by_api(answer)
    assert not verdict.holds
    assert says in verdict.seen


def day(days: float) -> str:
    return f"{datetime.now() + timedelta(days=days):%d/%m/%Y}"


IN_40_DAYS = "<in 40 days>"
"""Told when a test runs, which may be on another day than the one on which it was collected."""


@pytest.mark.parametrize(
    ("said", "holds", "seen"),
    [
        (f"api {json.dumps(told(40.5))}", True, "PROD, 40 days left"),
        ("bm-cli OK;212", True, "212 days left"),
        ("bm-cli OK;3", True, "3 days left, to be renewed"),
        ("bm-cli ERROR;NONE", False, "ERROR;NONE"),
        (f"file bookworm\nbookworm\n01/01/2020\n{IN_40_DAYS}", True, "by the repository's file 40 days left"),
        ("file bookworm\nbookworm\n2020-01-01\n2021-01-01", False, "expired"),
        (f"file bookworm\nbullseye\n{IN_40_DAYS}", False, "is for bullseye, bookworm runs"),
        ("file rhel9\nrhel9\n1577836800000", False, "expired"),
        ("file bookworm", True, "tells no end"),
        ("", False, "no subscription is installed"),
    ],
    ids=[
        "api",
        "bm-cli",
        "bm-cli, soon",
        "bm-cli, none",
        "file",
        "file, expired",
        "file of another release",
        "file in milliseconds",
        "file without an end",
        "nothing",
    ],
)
def test_whoever_is_there_tells_of_it(said: str, holds: bool, seen: str):
    told = said.replace(IN_40_DAYS, day(40))
    verdict = subscription.valid(Result("core", "", 0, f"{told}\n"))
    assert verdict.holds is holds
    assert seen in verdict.seen


@pytest.mark.parametrize("who", ["api", "bm-cli", "file"])
def test_its_end_is_told_as_a_date(who: str):
    said = {
        "api": f"api {json.dumps(told(40.5))}",
        "bm-cli": "bm-cli OK;40",
        "file": f"file bookworm\n{day(40)}",
    }[who]
    ends = datetime.now() + timedelta(days=40)
    near = {f"{ends + timedelta(hours=hours):%Y-%m-%d}" for hours in (0, 13)}
    assert subscription.valid(Result("core", "", 0, f"{said}\n")).row["subscription ends"] in near


def test_api_then_bm_cli_then_the_file_is_asked_and_nothing_of_its_addresses_shown(tmp_path: Path):
    file = tmp_path / "bm.list"
    file.write_text("# ends: 2031-12-31 bookworm\ndeb http://user:word@pkg.example.org/0a1b2c ./\n")

    def asked(*there: str) -> list[str]:
        """What the line prints where only these tell anything."""
        fakes = [
            f"{name}() {{ {'echo answer' if name in there else 'false'}; }}\n" for name in ("curl", "bm-cli")
        ]
        line = "".join(fakes) + subscription.ask(str(file)).replace(
            "/etc/os-release", str(tmp_path / "release")
        )
        return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout.split()

    (tmp_path / "release").write_text("VERSION_CODENAME=bookworm\n")
    assert asked("curl", "bm-cli") == ["api", "answer"]
    assert asked("bm-cli") == ["bm-cli", "answer"]
    assert asked() == ["file", "bookworm", "2031-12-31", "bookworm"]
    file.unlink()
    assert asked() == []


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("deb https://user:word@pkg.example.org/0a1b2c/4.9.12 ./", "https://pkg.example.org/…/4.9.12"),
        (
            "deb [signed-by=/etc/k.asc] http://pkg.example.org/0a1b2c/d/4.9.12 ./",
            "http://pkg.example.org/…/4.9.12",
        ),
        ("baseurl=https://pkg.example.org/0a1b2c/rhel9/4.9.12", "https://pkg.example.org/…/4.9.12"),
        ("deb file:///var/spool/bluemind-pkgs ./", "file:///var/spool/bluemind-pkgs ./"),
    ],
)
def test_the_key_in_a_repository_s_address_is_not_shown(tmp_path: Path, line: str, shown: str):
    file = tmp_path / "bm.list"
    file.write_text(f"# customer: Example\n{line}\n")
    command = ["bash", "-c", subscription.show(str(file))]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{shown}\n"


def test_a_repository_on_the_server_itself_gives_no_update():
    assert subscription.registered(Result("core", "", 0, "http://pkg.example.org/…/4.9\n")).holds
    assert not subscription.registered(Result("core", "", 0, "file:///var/spool/bluemind-pkgs ./\n")).holds
    assert subscription.registered(Result("core", "", 1, "")).seen == "core: no repository of BlueMind"


@pytest.mark.parametrize(
    ("name", "has", "seen"),
    [
        (
            "bm.list",
            "deb [signed-by=/key] https://pkg.example.org/KEY/4.9 ./",
            "https://pkg.example.org/…/4.9",
        ),
        ("bm.list", "# nothing", "core: no repository of BlueMind"),
        (
            "bm.sources",
            "Types: deb\nURIs: https://pkg.example.org/KEY/4.9\nSuites: ./",
            "core: {}/bm.sources",
        ),
        ("other.list", "", "core: no repository of BlueMind"),
    ],
)
def test_a_repository_in_a_file_that_bluemind_does_not_read_is_named(
    tmp_path: Path, name: str, has: str, seen: str
):
    (tmp_path / name).write_text(f"{has}\n")
    line = subscription.show_or_find(str(tmp_path / "bm.list"))
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1)
    verdict = subscription.registered(Result("core", "", done.returncode, done.stdout))
    assert (verdict.holds, verdict.seen) == (not seen.startswith("core"), seen.format(tmp_path))
