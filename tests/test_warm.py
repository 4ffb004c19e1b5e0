"""Holding warm: passes at a pace, a pass that fails, a kill, a budget; time passes only when it is waited for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from bmnb import journal, warm
from bmnb import run as interpreter
from bmnb.errors import ActionFailed, InputError, Interrupted, Stopped
from bmnb.run import Run
from bmnb.settings import setting
from bmnb.steps import Command, Manual, Phase, Procedure, Result, step
from tests.fakes import FakeSettings, World

HOT, COLD = Phase("Hot"), Phase("Cold", downtime=True)
START = datetime(2026, 12, 5, 20, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Paced(FakeSettings):
    every: str = setting("", "pace")
    until: str = setting("", "end")
    budget: str = setting("", "budget")
    again: bool = setting(False, "one more")


@step("Copy", HOT, passes=attrgetter("passes"))
def hot(_: Any) -> Iterator[Any]:
    yield Command("b", "copy", "copy", read=lambda told: {"changed bytes": 1})


@step("Stop", COLD)
def stop(_: Any) -> Iterator[Any]:
    yield Manual("a", "stop-service", "users are cut off", expect="a")
    yield Command("a", "stop", "stop")


@step("Copy the rest", COLD)
def cold(_: Any) -> Iterator[Any]:
    yield Command("b", "rest", "rest")


PROCEDURE = Procedure("Fake", Paced, (hot, stop, cold), synchronizations=(hot, cold))


class Clock:
    """It stands, but where somebody waits; a pass takes a minute. `at` tells what happens in a wait."""

    def __init__(self) -> None:
        self.now = START
        self.at: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.at()


@dataclass
class Night:
    folder: Path
    world: World = field(default_factory=World)
    clock: Clock = field(default_factory=Clock)
    said: list[str] = field(default_factory=list)

    def open(self, **more: Any) -> Run:
        settings = Paced(folder=str(self.folder / "run"), passes=1, **more)
        return Run(PROCEDURE, settings, show=lambda shown: self.said.append(getattr(shown, "data", "")))

    def hold(self, **more: Any) -> Run:
        run = self.open(**{"every": "30m", **more})
        run(hot)
        run.keep_warm()
        return run

    @property
    def passes(self) -> int:
        return self.world.count("copy")


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    made = Night(tmp_path)

    class Now(datetime):
        @classmethod
        def now(cls, zone: Any = None) -> datetime:  # type: ignore[override]
            return made.clock.now.astimezone(zone)

    for module in (journal, warm):
        monkeypatch.setattr(module, "datetime", Now)
    monkeypatch.setattr(warm.time, "sleep", made.clock.sleep)
    monkeypatch.setattr(warm, "LOOK_SECONDS", 60.0)
    monkeypatch.setattr(interpreter, "Servers", made.world.servers)

    def takes_a_minute(host: str, line: str) -> None:
        made.clock.now += timedelta(minutes=1)

    made.world.before_effect = takes_a_minute
    return made


def at(hours: float) -> str:
    return (START + timedelta(hours=hours)).isoformat()


def held(run: Run) -> list[dict[str, Any]]:
    return list(run.journal.events("held warm"))


def test_passes_are_made_at_a_pace_until_it_is_time(night: Night):
    run = night.hold(until=at(2))
    begun = [one["time"][11:16] for one in run.journal.events("step started")]
    assert begun == ["20:00", "20:30", "21:00", "21:30"]
    assert night.clock.now == START + timedelta(hours=2)
    assert [one["due"][11:16] for one in held(run)] == [
        (START + timedelta(hours=hours)).astimezone().strftime("%H:%M") for hours in (1, 1.5, 2)
    ]


def test_a_projected_downtime_is_told_after_each_pass(night: Night):
    run = night.hold(until=at(1.6))
    assert [one["longest"] is not None for one in held(run)] == [True, True, True]
    assert sum("Expected for the files" in one for one in night.said) == 3


def test_without_a_pace_nothing_is_made(night: Night):
    night.hold(every="")
    assert night.passes == 1


def test_a_pass_that_takes_longer_than_the_pace_is_followed_at_once(night: Night):
    def takes_an_hour(host: str, line: str) -> None:
        night.clock.now += timedelta(hours=1)

    night.world.before_effect = takes_an_hour
    night.hold(until=at(2.5))
    assert (night.passes, night.clock.now) == (3, START + timedelta(hours=3))


def test_a_pass_that_fails_is_told_and_the_next_one_is_made_at_its_time(night: Night):
    night.world.answers["copy"] = [Result("b", "copy", exit) for exit in (0, 1, 0)]
    run = night.hold(until=at(1.6))
    assert [bool(one["why"]) for one in held(run)] == [True, False, False]
    assert any("This pass has failed" in one for one in night.said)
    begun = [(one["step"], one["time"][11:16]) for one in run.journal.events("step started")]
    assert begun == [("hot.1", "20:00"), ("hot.2", "20:30"), ("hot.2", "21:00"), ("hot.3", "21:30")]


def test_where_the_last_pass_fails_too_what_it_met_ends_the_night(night: Night):
    night.world.answers["copy"] = [Result("b", "copy", exit) for exit in (0, 1)]
    with pytest.raises(ActionFailed):
        night.hold(until=at(1))
    assert night.passes == 3  # the first, one in time, and a last try
    assert night.clock.now == START + timedelta(hours=1, minutes=1)


def test_after_a_kill_in_a_pass_that_pass_is_gone_on_with_at_once(night: Night):
    def kill(host: str, line: str) -> None:
        night.clock.now += timedelta(minutes=1)
        if night.passes == 1:
            raise SystemExit

    night.world.before_effect = kill
    with pytest.raises(SystemExit):
        night.hold(until=at(2))
    night.world.before_effect = lambda host, line: None
    run = night.hold(until=at(2))
    again = [one["time"][11:16] for one in run.journal.events("step started", step="hot.2")]
    assert again == ["20:30", "20:31"]
    assert all(run.is_done(f"hot.{number}") for number in (1, 2, 3))


def test_after_a_kill_while_it_waited_the_next_pass_comes_at_its_time(night: Night):
    def kill() -> None:
        if night.clock.now > START + timedelta(minutes=10):
            raise SystemExit

    night.clock.at = kill
    with pytest.raises(SystemExit):
        night.hold(until=at(1))
    night.clock.at = lambda: None
    run = night.hold(until=at(1))
    assert [one["time"][11:16] for one in run.journal.events("step started")] == ["20:00", "20:30"]


def test_an_interrupt_ends_the_holding_and_leaves_nothing_under_way(night: Night):
    def interrupt() -> None:
        raise KeyboardInterrupt

    night.clock.at = interrupt
    with pytest.raises(Interrupted, match="nothing is under way"):
        night.hold()
    assert night.passes == 1


def test_who_comes_much_later_cuts_nobody_off(night: Night):
    night.clock.now += timedelta(hours=10)
    with pytest.raises(Stopped, match="nothing is begun so much later"):
        night.hold(until=at(2))


def test_one_more_pass_each_time(night: Night):
    for number in (1, 2, 3):
        night.hold(every="", again=True)
        assert night.passes == number


def test_where_the_service_was_stopped_no_pass_is_made(night: Night):
    run = night.open(answers={"stop-service": "a"})
    run(hot)
    run(stop)
    night.hold(every="", again=True)
    night.hold(until=at(3))
    assert night.passes == 1


def test_a_question_that_waits_for_its_answer_keeps_no_pass_from_being_made(night: Night):
    run = night.open()
    run(hot)
    with pytest.raises(Stopped, match="stop-service"):
        run(stop)
    run(hot, again=True)
    assert night.passes == 2


def test_a_budget_holds_the_stop_back_where_nobody_knows_how_long_it_takes(night: Night):
    run = night.hold(until=at(1.1), budget="10m", answers={"stop-service": "a"})
    with pytest.raises(Stopped, match=r"budget is 10m(.|\n)*is not known(.|\n)*over-budget: NAME, REASON"):
        run(stop)
    assert night.world.count("stop") == 0
    passes = night.passes
    run(hot, again=True)
    assert night.passes == passes + 1


@pytest.mark.parametrize(("budget", "stops"), [("10m", 1), ("30s", 0)], ids=["fits", "too-long"])
def test_a_budget_is_held_against_the_forecast(
    night: Night, monkeypatch: pytest.MonkeyPatch, budget: str, stops: int
):
    monkeypatch.setattr(warm.forecast, "past_seconds", lambda *_, **__: {"stop": [60.0]})
    run = night.hold(until=at(1.1), budget=budget, answers={"stop-service": "a"})
    if not stops:
        with pytest.raises(Stopped, match=r"budget is 30s\. Expected downtime: "):
            run(stop)
    else:
        run(stop)
    assert night.world.count("stop") == stops


def test_who_goes_over_the_budget_says_who_and_why_on_record(night: Night):
    answers = {"stop-service": "a", "over-budget": "yes"}
    run = night.hold(until=at(1.1), budget="1s", answers=answers)
    with pytest.raises(Stopped, match="NAME, REASON"):
        run(stop)
    answers["over-budget"] = "Anne Roy, the client has agreed to an hour"
    run = night.open(budget="1s", answers=answers)
    run(stop)
    recorded = run.journal.last("answer", key="over-budget")
    assert recorded
    assert recorded["answer"] == answers["over-budget"]
    assert "is not known" in recorded["told"] or "Expected" in recorded["told"]


def test_a_procedure_without_hot_passes_has_none_to_hold(night: Night):
    run = Run(Procedure("Other", Paced, (stop,)), Paced(folder=str(night.folder)), show=lambda _: None)
    with pytest.raises(InputError, match="no synchronization that is repeated"):
        run.keep_warm()
