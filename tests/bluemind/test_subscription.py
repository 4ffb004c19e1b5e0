"""A subscription that opens the repositories, and what is shown of their address."""

import subprocess
import time
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
        subscription.valid(told(200.5, indicator=accounts)).seen == "PROD, 200 days left, accounts 80 of 100"
    )
    assert subscription.valid(told(10.5)).seen == "PROD, 10 days left, to be renewed"


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
    verdict = subscription.valid(answer)
    assert not verdict.holds
    assert says in verdict.seen


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
