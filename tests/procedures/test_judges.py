"""Whatever a server prints, a check tells what it makes of it: it neither breaks off the run nor holds by chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmnb.observe import UNREADABLE
from bmnb.procedures import changing_distributions, updating_bluemind
from bmnb.steps import Check, Procedure, Result, Verdict, singles

PROCEDURES = [changing_distributions.PROCEDURE, updating_bluemind.PROCEDURE]
PRINTED = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
LINES = st.lists(
    st.sampled_from(["", "x", "/a b 1", "1 2 3", "a: 1", '{"a": 1}', "[1]", "-1"]) | PRINTED
).map("\n".join)


def checks(procedure: Procedure) -> list[Check]:
    given_settings = procedure.settings()
    every = [one for step in procedure.steps for one in singles(step.actions(given_settings))]
    every += [one for step in procedure.steps if step.undo for one in singles(step.undo(given_settings))]
    return [one for one in every if isinstance(one, Check)]


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
