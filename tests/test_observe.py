"""What does not hold is accepted only as just these differences, by somebody, for a reason."""

import re
import threading
from pathlib import Path

import pytest

from bmnb.bluemind import api, mail
from bmnb.journal import Journal
from bmnb.logs import Logs
from bmnb.observe import Observer, until
from bmnb.steps import Check, Result, Verdict
from tests.fakes import FakeServers, World


def observed(folder: Path, answer: str, item: str = "t_user") -> Verdict:
    items = ({"item": item, "what": "table"},)
    check = Check("target", "look", lambda told: Verdict(False, "1 differences", items), decision="accept-bj")
    world = World(answers={"look": [Result("target", "look", 0)]})
    journal = Journal(folder / "journal.jsonl")
    observer = Observer(
        FakeServers(world),  # type: ignore[arg-type]
        *(journal, Logs(folder / "logs"), {"accept-bj": answer} if answer else {}, {}, threading.Event()),
    )
    return observer.observe("verify/1", check)


def sum_of(verdict: Verdict) -> str:
    found = re.search(r"answer `accept-bj: (\w{8}) NAME, REASON`", verdict.seen)
    assert found
    return found[1]


def test_who_accepts_a_difference_says_why_and_it_is_on_record(tmp_path: Path):
    number = sum_of(observed(tmp_path, ""))
    accepted = observed(tmp_path, f"{number} Anna, the index is made anew")
    assert accepted.holds
    assert accepted.seen == f"accepted by accept-bj: {number} Anna, the index is made anew; 1 differences"
    assert observed(tmp_path, "").holds, "it stands for these items from then on"
    assert not observed(tmp_path, "", "t_group").holds


@pytest.mark.parametrize("rest", ["", " ", " Anna", " Anna, ", " , reason"])
def test_a_sum_without_a_name_and_a_reason_accepts_nothing(tmp_path: Path, rest: str):
    number = sum_of(observed(tmp_path, ""))
    assert not observed(tmp_path, number + rest).holds


def test_another_sum_accepts_nothing(tmp_path: Path):
    assert not observed(tmp_path, "00000000 Anna, all is well").holds


def test_what_waiting_cannot_change_is_not_waited_for():
    seen = iter([Verdict(False, "not yet"), Verdict(False, "never", final=True), Verdict(True, "too late")])
    assert until(lambda: next(seen), 60, threading.Event()).seen == "never"


def test_an_update_that_is_due_and_a_message_that_came_back_are_not_waited_for():
    assert api.is_running("CORE_STATE_UPGRADE").final
    assert not api.is_running("CORE_STATE_STARTING").final
    log = "postfix/smtp[1]: A1: to=<a@example.org>, relay=none, dsn=5.1.1, status=bounced (unknown)\nend\n"
    assert mail.sent(Result("edge", "", 0, log)).final
    assert not mail.sent(Result("edge", "", 0, "end\n")).final
