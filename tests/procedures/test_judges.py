"""Whatever a server prints, a check tells what it makes of it: it neither breaks off the run nor holds by chance."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmnb.observe import UNREADABLE, judged
from bmnb.procedures import changing_distributions, updating_bluemind
from bmnb.steps import Check, Command, Procedure, Result, Verdict, singles

PROCEDURES = [changing_distributions.PROCEDURE, updating_bluemind.PROCEDURE]
PRINTED = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
LINES = st.lists(
    st.sampled_from(["", "x", "/a b 1", "1 2 3", "a: 1", '{"a": 1}', "[1]", "-1"]) | PRINTED
).map("\n".join)


WAYS = [
    {},
    {"switch": "by-hand"},
    {"switch": "new-address", "new_address": "203.0.113.7"},
    {"verify": "after"},
]


@cache
def checks(procedure: Procedure) -> tuple[Check, ...]:
    every = []
    for way in WAYS if procedure is changing_distributions.PROCEDURE else [{}]:
        given_settings = procedure.settings(**way)
        every += [one for step in procedure.steps for one in singles(step.actions(given_settings))]
        every += [one for step in procedure.steps if step.undo for one in singles(step.undo(given_settings))]
    return tuple(one for one in every if isinstance(one, Check))


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda one: one.name)
@given(data=st.data())
def test_any_output_is_judged(procedure: Procedure, data: st.DataObject):
    for check in data.draw(st.lists(st.sampled_from(checks(procedure)), max_size=5)):
        results = [
            Result(host, line, data.draw(st.sampled_from([0, 1, 255])), data.draw(LINES), data.draw(LINES))
            for host, line in check.observations
        ]
        try:
            assert isinstance(check.judge(*results), Verdict), check.title
        except UNREADABLE:
            continue


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda one: one.name)
def test_what_could_not_be_looked_at_does_not_hold(procedure: Procedure):
    """But where failing is an answer: a key will be made where nobody can log in."""
    for check in checks(procedure):
        if check.title == "the target's root can log in as root on the origin":
            continue
        results = [Result(host, line, 255, "", "connection lost") for host, line in check.observations]
        try:
            verdict = check.judge(*results)
        except UNREADABLE:
            continue
        assert not verdict.holds, check.title


NOT_LOOKED_AT = (2, 100, 126, 127, 255)
"""Exit statuses of psql without a server, of apt, of bash without the program, and of ssh."""


@pytest.mark.parametrize("status", NOT_LOOKED_AT)
@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda one: one.name)
def test_a_check_whose_line_failed_could_not_be_made(procedure: Procedure, status: int):
    """Whatever the line has printed until then; where every status is an answer the judge tells."""
    for check in checks(procedure):
        if status in check.answers:
            continue
        for printed in ("", "1\n", "bj UTF8 en_US.UTF-8\nbj-data UTF8 en_US.UTF-8\n"):
            results = [Result(host, line, status, printed, "it failed") for host, line in check.observations]
            verdict = judged(check, results)
            assert (verdict.holds, verdict.made) == (False, False), check.title
            assert f"exit status {status}" in verdict.seen
            assert "it failed" in verdict.seen


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda one: one.name)
def test_one_line_that_failed_is_enough(procedure: Procedure):
    for check in checks(procedure):
        hosts = check.observations
        if len(hosts) > 1 and check.answers == (0,):
            first, *rest = [Result(host, line, 0, "1\n") for host, line in hosts]
            broken = Result(first.host, first.line, 2, "", "it failed")
            assert not judged(check, [broken, *rest]).made, check.title


def test_what_cannot_be_read_could_not_be_made():
    def judge(seen: Result) -> Verdict:
        return Verdict(int(seen.stdout) > 0, "a number")

    verdict = judged(Check("a", "line", judge), [Result("a", "line", 0, "Bad substitution")])
    assert (verdict.holds, verdict.made) == (False, False)


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda one: one.name)
def test_no_remedy_takes_anything_away_on_an_origin(procedure: Procedure):
    given_settings = procedure.settings()
    origin = getattr(given_settings, "origin", given_settings)
    for step in procedure.steps:
        for action in singles(step.actions(given_settings)):
            on = (action.host,) if isinstance(action.host, str) else action.host
            if origin in on and isinstance(action, Check | Command):
                assert not TAKES_AWAY.search(action.remedy), action.remedy


TAKES_AWAY = re.compile(r"\b(drop|rename|delete|purge|uninstall|erase|truncate|rm)\b", re.IGNORECASE)
