"""The eligibility test's report: what passes, what it proposes, and that no more is run than that."""

import subprocess
from pathlib import Path

import pytest

from bmnb.bluemind import eligibility
from bmnb.bluemind.eligibility import REPAIRS
from bmnb.steps import Result

HOT, INDEX, MAILBOXES = REPAIRS
PROPOSAL = "  run: bm-cli index coherency --all --run-consolidate --workers=1 all"


def report(*lines: str, status: str = "0") -> Result:
    return Result("core", "", 0, "\n".join((status, *lines)) + "\n")


def test_it_passes_where_it_ends_well_and_names_nothing():
    assert eligibility.passes(report("Custom settings: OK", "Eligible")).seen == "Eligible"


@pytest.mark.parametrize(
    "told",
    [
        report("Cyrus mails: ERROR"),
        report("1 check failed"),
        report("Not eligible"),
        report("Eligible", PROPOSAL),
        report("Eligible", status="1"),
        report(),
    ],
    ids=["error", "failed", "not eligible", "proposal", "status", "silent"],
)
def test_it_does_not_pass_where_anything_speaks_against_it(told: Result):
    assert not eligibility.passes(told).holds


def test_words_that_mislead_can_be_accepted_by_a_person():
    seen = eligibility.passes(report("0 failed", "Eligible"))
    assert (seen.holds, seen.items) == (False, ({"line": "0 failed"},))
    assert eligibility.passes(report("Eligible", status="3")).items == ({"line": "exit status 3: Eligible"},)
    assert not eligibility.passes(report()).items, "of a silent test there is nothing to accept"


def test_a_proposed_command_is_for_a_person_to_accept():
    seen = eligibility.commands(INDEX, report("Elasticsearch: ERROR", PROPOSAL, PROPOSAL))
    assert not seen.holds
    assert seen.items == ({"command": PROPOSAL.removeprefix("  run: ")},)
    assert eligibility.commands(HOT, report(PROPOSAL)).holds


def test_the_full_stop_behind_a_command_is_none_of_its_words():
    seen = eligibility.commands(HOT, report("Please run `bm-cli hotupgrade start --no-delay --scheduled`."))
    assert seen.seen == "bm-cli hotupgrade start --no-delay --scheduled"
    assert eligibility.commands(HOT, report("Run bm-cli hotupgrade start --no-delay.")).seen.endswith(
        "--no-delay"
    )


def test_what_is_none_of_the_known_repairs_is_told_apart():
    assert eligibility.others(report(PROPOSAL)).holds
    assert eligibility.others(report("try bm-cli user delete everybody")).items == (
        {"line": "try bm-cli user delete everybody"},
    )


@pytest.mark.parametrize(
    "line",
    [
        "bm-cli maintenance repair --ops a example.org; touch PWNED",
        "bm-cli maintenance repair --ops a example.org $(touch PWNED)",
        "bm-cli maintenance repair --ops a example.org > PWNED",
    ],
)
def test_what_follows_a_proposed_command_is_not_run(tmp_path: Path, line: str):
    (tmp_path / "bm-cli").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/ran\n')
    (tmp_path / "bm-cli").chmod(0o755)
    (tmp_path / eligibility.REPORT).write_text(f"Cyrus mails: ERROR\n  {line}\n  {line}\n")
    subprocess.run(
        ["bash", "-c", eligibility.mend(MAILBOXES, str(tmp_path))],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        cwd=tmp_path,
        check=True,
    )
    assert (tmp_path / "ran").read_text() == "maintenance repair --ops a example.org\n"
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize(("status", "ends"), [(0, 0), (1, 0), (51, 51)])
def test_that_it_does_not_pass_is_no_error_but_that_it_is_unknown_is(tmp_path: Path, status: int, ends: int):
    (tmp_path / "bm-cli").write_text(f"#!/bin/sh\nprintf '\\033[31mtold\\033[0m\\n'; exit {status}\n")
    (tmp_path / "bm-cli").chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", eligibility.run(str(tmp_path))],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=False,
    )
    assert done.returncode == ends
    if not ends:
        shown = subprocess.run(
            ["bash", "-c", eligibility.show(str(tmp_path))], capture_output=True, text=True, check=True
        )
        assert shown.stdout == f"{status}\ntold\n"


def test_a_report_of_yesterday_is_too_old():
    assert eligibility.is_fresh(Result("core", "", 0, "5\n")).holds
    assert not eligibility.is_fresh(Result("core", "", 0, "1500\n")).holds
    assert not eligibility.is_fresh(Result("core", "", 0, "-3\n")).holds, "the clock was set back"
