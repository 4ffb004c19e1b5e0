"""The plan is there with no server at hand."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bmnb import plan
from bmnb.cli import main
from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.run import Run
from bmnb.steps import Command, Together, singles


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch):
    def refuse(*words: object) -> None:
        raise AssertionError("the plan contacts a server")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.usefixtures("no_network")
def test_the_plan_is_printed_without_a_network():
    printed = CliRunner().invoke(main, ["plan", "changing-distributions"])
    assert printed.exit_code == 0
    for step in PROCEDURE.steps:
        assert (step.title in printed.output) == any(step.actions(Settings()))
    rows = json.loads(CliRunner().invoke(main, ["plan", "changing-distributions", "--json"]).output)
    assert len(rows) == len(list(plan.rows(PROCEDURE, Settings())))


def test_downtime_stands_in_the_plan():
    downtime = {row["phase"] for row in plan.rows(PROCEDURE, Settings()) if row["downtime"]}
    assert downtime == {"Cold synchronization", "Switching servers"}


def test_a_phase_says_what_stops_working_then_its_commands(tmp_path: Path):
    shown: list[Any] = []
    settings = Settings(runs=str(tmp_path), dry_run=False)
    table = Run(PROCEDURE, settings, show=shown.append).plan("cold-synchronization")
    assert "Users are cut off in this phase." in shown[0].data
    assert list(table.columns) == ["step", "server", "what", "command"]
    assert "bmctl stop" in set(table["command"])


def test_the_whole_plan_says_what_stops_working_phase_by_phase_and_has_the_commands(tmp_path: Path):
    shown: list[Any] = []
    settings = Settings(runs=str(tmp_path), dry_run=False)
    table = Run(PROCEDURE, settings, show=shown.append).plan()
    told = shown[0].data.splitlines()
    assert told[0] == "- **Prerequisites**: Users go on working in this phase."
    assert "- **Cold synchronization**: Users are cut off in this phase." in told
    assert "How long it takes is not known" in told[-1]
    assert "bmctl stop" in set(table["command"])


def test_what_lies_beyond_the_last_phase_of_a_run_is_said_not_to_be_done(tmp_path: Path):
    shown: list[Any] = []
    settings = Settings(runs=str(tmp_path), dry_run=False, through="prerequisites")
    table = Run(PROCEDURE, settings, show=shown.append)(PROCEDURE.steps[-1])
    assert "Not done, planned only" in shown[0].data
    assert set(table["status"]) == {"planned"}


def test_a_command_is_not_set_as_a_formula(tmp_path: Path):
    shown = Run(PROCEDURE, Settings(runs=str(tmp_path)))(PROCEDURE.steps[-1])._repr_html_()
    assert "mathjax_ignore" in shown


def test_actions_of_a_together_are_rows_of_their_own():
    two = Command("a", "one"), Command("b", "two")
    assert singles(iter([Together(two)])) == list(two)


def test_no_secret_is_in_the_plan():
    text = json.dumps(list(plan.rows(PROCEDURE, Settings())))
    assert "PGPASSWORD=bj" not in text
