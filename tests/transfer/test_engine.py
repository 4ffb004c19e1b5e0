"""What the plan of the fast engine shows: parts side by side, each with what is done where it cannot be."""

import subprocess

import pytest

from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.steps import Command, Result, Together, singles
from bmnb.transfer import fast
from bmnb.transfer.engine import Fast

ENGINE = Fast("origin", "target", "/var/lib/bmnb/test", ("/var/spool/cyrus", "/var/lib/cyrus"), True, 0)


def commands() -> list[Command]:
    settings = Settings(engine="fast")
    return [
        action
        for step in PROCEDURE.steps
        for action in singles(step.actions(settings))
        if isinstance(action, Command)
    ]


def test_trees_databases_and_configuration_go_side_by_side_in_the_cold_pass():
    together = next(action for action in ENGINE.cold_pass() if isinstance(action, Together))
    assert [one.title for one in together.actions] == [
        "what changed in the trees",
        "rows of bj, proven equal",
        "rows of bj-data, proven equal",
        "configuration, in one stream",
    ]


@pytest.mark.parametrize("part", ["files", "databases"])
def test_each_part_is_done_by_one_engine_and_never_by_both(part: str):
    lines = [one.when.line for one in commands() if one.when and f"fast-{part}" in one.when.line]
    can, cannot = f"test -e /var/lib/bmnb/example/fast-{part}", f"test ! -e /var/lib/bmnb/example/fast-{part}"
    assert set(lines) == {can, cannot}


def test_every_line_is_one_that_bash_reads():
    for command in commands():
        read = subprocess.run(
            ["bash", "-n"], input=command.script, text=True, capture_output=True, check=False
        )
        assert read.returncode == 0, f"{command.title}: {read.stderr}"


def test_the_table_tells_which_part_the_fast_engine_can_do():
    told = Result("target", "", 0, "databases\n")
    assert fast.read_probe(told) == {
        "files by engine": "literal",
        "databases by engine": "fast",
    }


def test_the_programs_come_with_the_first_pass_and_are_removed_again():
    written = [one for one in commands() if "> /var/lib/bmnb/example/programs/" in one.line]
    assert all(one.text for one in written)
    assert {one.host for one in written} == {Settings().origin, Settings().target}
    removed = [one.host for one in commands() if one.line.startswith("rm -rf /var/lib/bmnb/example/programs")]
    assert sorted(removed) == sorted([Settings().origin, Settings().target])
