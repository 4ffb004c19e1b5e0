"""What the lines of a test launch show, and which services it cuts off."""

import json

import pytest

from bmnb.steps import Result
from bmnb.transfer import launch
from bmnb.transfer.programs import launch as program


def told(text: str) -> Result:
    return Result("target", "line", 0, text)


def test_it_is_cut_off_where_nothing_was_reached_until_the_end():
    assert launch.is_cut_off(told("end\n")).holds
    reached = launch.is_cut_off(told(" eth0\n10.0.0.1 answers\nend\n"))
    assert (reached.holds, reached.seen) == (False, "eth0; 10.0.0.1 answers")


@pytest.mark.parametrize("text", ["", "eth0\n"], ids=["nothing", "cut"])
def test_a_look_that_was_broken_off_proves_nothing(text: str):
    assert not launch.is_cut_off(told(text)).made


def test_postfix_need_not_run():
    assert launch.runs(told("bm-core is running\nbm-keycloak is disabled\n")).holds
    assert launch.runs(told("bm-core is running\nbm-node is stopped\n")).seen == "not running: bm-node"
    assert not launch.runs(told("")).made
    assert launch.runs(told(f"{launch.ENDED}\n")).final


def test_every_account_counts():
    good = {"mailbox": "a@example.org", "folders": 2, "messages": 1200, "why": ""}
    bad = {"mailbox": "b@example.org", "folders": 0, "messages": 0, "why": "refused"}
    seen = launch.every_account(told(json.dumps([good])))
    assert (seen.holds, seen.seen) == (True, "1 accounts, 2 folders, 1,200 messages by IMAP")
    assert seen.items == ({"mailbox": "a@example.org", "folders": 2, "messages": 1200},)
    wrong = launch.every_account(told(json.dumps([good, bad])))
    assert (wrong.holds, wrong.seen) == (False, "1 of 2 cannot be looked at: b@example.org: refused")
    assert not launch.every_account(told("[]")).holds


def test_the_services_of_bluemind_and_those_that_they_want_are_cut_off(monkeypatch: pytest.MonkeyPatch):
    wants = {
        "bluemind.target": ["bm-core.service", "basic.target", "postgresql.service", "nginx.service"],
        "bm-core.service": ["postgresql.service", "bm-node.service"],
        "postgresql.service": ["postgresql@15-main.service"],
        "nginx.service": ["nginx-helper.service"],
    }
    monkeypatch.setattr(program, "show", lambda unit, *_: wants.get(unit, []))
    monkeypatch.setattr(program, "is_active", lambda unit: unit == "nginx.service")
    assert program.units() == [
        "bm-core.service",
        "bm-node.service",
        "postgresql.service",
        "postgresql@15-main.service",
    ]
