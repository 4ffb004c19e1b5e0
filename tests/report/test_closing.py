"""The notebook ends with its report, and with what is left to do."""

from pathlib import Path

import nbformat
import pytest

from bmnb import procedures, seal
from bmnb.language import use
from bmnb.procedures import changing_distributions, updating_bluemind
from bmnb.report import summary, write
from bmnb.report.closing import conclude
from bmnb.report.facts import gather
from bmnb.run import Run
from bmnb.start import template
from bmnb.steps import Procedure
from tests.report import synthetic


def reopened(folder: Path) -> Run:
    settings = {**vars(synthetic.SETTINGS), "folder": str(folder), "dry_run": False}
    return Run(
        changing_distributions.PROCEDURE, type(synthetic.SETTINGS)(**settings), show=lambda table: None
    )


def test_at_the_end_the_report_is_there_linked_and_not_yet_sealed(tmp_path: Path):
    folder = synthetic.run(tmp_path / "run", files=10)
    said = conclude(reopened(folder)).data
    assert (folder / "report.html").exists()
    assert f'href="{folder / "report.html"}"' in said
    assert "make the first backup" in said
    assert not (folder / seal.SUMS).exists()
    write(folder)
    assert list(seal.problems(folder)) == []
    assert "What is left to do" in (folder / "report.html").read_text()


def test_before_the_end_nothing_is_left_to_do_but_to_go_on(tmp_path: Path):
    folder = synthetic.run(tmp_path / "run", files=10, until="import-databases")
    said = conclude(reopened(folder)).data
    assert "Unfinished" in said
    assert "first backup" not in said


def test_a_plan_has_no_report(tmp_path: Path):
    run = Run(changing_distributions.PROCEDURE, changing_distributions.Settings(folder=str(tmp_path)))
    assert "makes its report" in conclude(run).data
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda one: one.name)
def test_it_is_the_last_cell(procedure: Procedure):
    assert nbformat.read(template(procedure), 4).cells[-1].source.endswith("conclude(runbook)")


@pytest.mark.parametrize(
    ("procedure", "given"),
    [
        (changing_distributions, {}),
        (changing_distributions, {"switch": "new-address", "new_address": "203.0.113.7"}),
        (updating_bluemind, {"freeze": False}),
    ],
)
def test_what_is_left_to_do_is_said_in_french_as_well(procedure, given):
    told = list(procedure.left_to_do(procedure.Settings(**given)))
    with use("fr"):
        assert [one for one in map(summary.phrase, told) if one in told] == []


def test_a_run_of_an_earlier_release_with_a_setting_less_is_read(tmp_path: Path):
    folder = synthetic.run(tmp_path / "run", files=10)
    facts = gather(folder, procedures.named)
    facts.settings["no-longer-known"] = 1
    assert summary.left(facts)
