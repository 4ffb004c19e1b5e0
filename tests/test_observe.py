"""What does not hold is accepted only as just these differences, by somebody, for a reason."""

import re
import tempfile
import threading
from pathlib import Path

import pytest

from bmnb.bluemind import api, mail
from bmnb.journal import Journal
from bmnb.logs import Logs
from bmnb.observe import Observer, until
from bmnb.steps import Check, Manual, Result, Verdict
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


def judged_with(verdict: Verdict, answer: str) -> tuple[Verdict, str]:
    """What becomes of a verdict with an answer, and the sum to accept it with, if any."""
    world = World(answers={"look": [Result("target", "look", 0)]})
    check = Check("target", "look", lambda told: verdict, decision="accept-bj")
    with tempfile.TemporaryDirectory() as folder:
        journal, logs = Journal(Path(folder) / "journal.jsonl"), Logs(Path(folder) / "logs")
        observer = Observer(
            FakeServers(world),  # type: ignore[arg-type]
            *(journal, logs, {"accept-bj": answer} if answer else {}, {}, threading.Event()),
        )
        seen = observer.observe("verify/1", check)
    found = re.search(r"answer `accept-bj: (\w{8}) NAME, REASON`", seen.seen)
    return seen, found[1] if found else ""


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


def test_a_check_is_given_what_another_server_prints_and_is_not_made_without_it(tmp_path: Path):
    given: list[str] = []

    class Servers(FakeServers):
        def run(self, host: str, line: str, *, stdin: str = "", **_: object) -> Result:
            given.append(stdin)
            return super().run(host, line)

    check = Check(
        "target", "look", lambda told: Verdict(told.ok, ""), feed=("origin", "tell"), answers=(0, 1)
    )
    world = World(answers={"tell": [Result("origin", "tell", 0, "2222\n")]})
    observer = Observer(
        Servers(world),  # type: ignore[arg-type]
        *(Journal(tmp_path / "journal.jsonl"), Logs(tmp_path / "logs"), {}, {}, threading.Event()),
    )
    assert observer.observe("look/1", check).holds
    assert given == ["", "2222\n"]
    world.answers["tell"] = [Result("origin", "tell", 1, "", "no sshd")]
    told = observer.observe("look/1", check)
    assert (told.holds, told.made) == (False, False)
    assert "no sshd" in told.seen


def asked(folder: Path, answer: str, told: Result) -> Verdict:
    manual = Manual(
        "target",
        "erase-target",
        "it goes",
        expect="target",
        look="look",
        tell=lambda seen: f"{int(seen.stdout)} messages go",
    )
    observer = Observer(
        FakeServers(World(answers={"look": [told]})),  # type: ignore[arg-type]
        *(Journal(folder / "journal.jsonl"), Logs(folder / "logs")),
        *({"erase-target": answer} if answer else {}, {}, threading.Event()),
    )
    return observer.observe("stop/1", manual)


def test_who_is_asked_to_confirm_is_told_what_goes_and_that_is_on_record(tmp_path: Path):
    there = Result("target", "look", 0, "20")
    assert asked(tmp_path, "", there).seen == (
        "not answered; answer `erase-target: target` to go on\n20 messages go"
    )
    confirmed = asked(tmp_path, "target", there)
    assert (confirmed.holds, confirmed.seen) == (True, "target; 20 messages go")
    gone = Result("target", "look", 2, "", "PostgreSQL is down")
    assert asked(tmp_path, "", gone).seen == "target; 20 messages go", "what was confirmed is not asked again"


@pytest.mark.parametrize(
    "told", [Result("target", "look", 2, "", "PostgreSQL is down"), Result("target", "look", 0, "x")]
)
def test_what_goes_must_be_known_before_it_is_confirmed(tmp_path: Path, told: Result):
    verdict = asked(tmp_path, "target", told)
    assert (verdict.holds, verdict.made) == (False, False)


def test_that_there_is_no_backup_is_not_taken_for_one_even_where_it_is_on_record(tmp_path: Path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write("answer", key="backup", answer="none")
    manual = Manual("core", "backup", "name the backup")
    for given, holds in (("no", False), ("vzdump, Anna", True)):
        observer = Observer(
            FakeServers(World()),  # type: ignore[arg-type]
            *(journal, Logs(tmp_path / "logs"), {"backup": given}, {}, threading.Event()),
        )
        verdict = observer.observe("backup/1", manual)
        assert verdict.holds is holds
    assert verdict.seen == "vzdump, Anna"


def test_what_waiting_cannot_change_is_not_waited_for():
    seen = iter([Verdict(False, "not yet"), Verdict(False, "never", final=True), Verdict(True, "too late")])
    assert until(lambda: next(seen), 60, threading.Event()).seen == "never"


def test_an_update_that_is_due_and_a_message_that_came_back_are_not_waited_for():
    assert api.is_running("CORE_STATE_UPGRADE").final
    assert not api.is_running("CORE_STATE_STARTING").final
    log = "postfix/smtp[1]: A1: to=<a@example.org>, relay=none, dsn=5.1.1, status=bounced (unknown)\nend\n"
    assert mail.sent(Result("edge", "", 0, log)).final
    assert not mail.sent(Result("edge", "", 0, "end\n")).final
