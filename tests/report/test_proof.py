"""The report and `bmnb status` say which proof was given when."""

from dataclasses import replace
from pathlib import Path

import pytest

from bmnb import procedures
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.report import summary
from bmnb.report.facts import Facts, gather
from bmnb.status import of, text
from tests.report import synthetic

AFTER = replace(synthetic.SETTINGS, verify="after")


def facts(folder: Path, until: str = "", settings: object = AFTER) -> Facts:
    return gather(synthetic.run(folder / "run", files=10, until=until, settings=settings), procedures.named)


def test_until_the_late_proof_is_done_the_run_is_switched_and_not_proven(tmp_path: Path):
    found = facts(tmp_path, "verify-whole")
    told = summary.verdict(found)
    assert told.title == "Switched, not yet proven whole."
    assert any("keep the original server as it is" in one for one in told.more)
    assert found.proof == of(found.folder)["proof"] == "switched, not yet proven whole"
    assert "the copy: switched, not yet proven whole" in text(of(found.folder))


def test_before_the_target_serves_nothing_is_said_of_it(tmp_path: Path):
    assert facts(tmp_path, "stop-origin").proof == ""


@pytest.mark.parametrize("settings", [AFTER, synthetic.SETTINGS], ids=["after", "before"])
def test_the_report_says_when_the_whole_was_proven(tmp_path: Path, settings: object):
    found = facts(tmp_path, settings=settings)
    told = dict(summary.summary(found))["Whole copy"]
    assert told.startswith("proven whole at ")
    assert ("what was sent was compared" in told) is (settings == AFTER)
    assert not found.unproven


def test_another_procedure_has_no_such_proof(tmp_path: Path):
    assert "verify-whole" in [step.name for step in PROCEDURE.steps]
    (other,) = [procedures.named("updating-bluemind")]
    assert "verify-copy" not in [step.name for step in other.steps]
