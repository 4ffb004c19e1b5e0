"""What the plan of the fast engine shows: parts side by side, each with what is done where it cannot be."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bmnb.procedures.changing_distributions import PROCEDURE, Settings, import_databases, stop_target
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
    lines = [
        one.when.line.removeprefix("test -e /var/lib/bmnb/example/with-keycloak && ")
        for one in commands()
        if one.when and f"fast-{part}" in one.when.line
    ]
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
    written = [one for one in commands() if "mkdir -p /var/lib/bmnb/example/programs;" in one.line]
    assert all(one.text for one in written)
    assert {one.host for one in written} == {Settings().origin, Settings().target}
    removed = [one.host for one in commands() if "rm -rf /var/lib/bmnb/example/programs" in one.line]
    assert sorted(removed) == sorted([Settings().origin, Settings().target])


def test_a_limit_holds_for_hot_passes_and_not_in_the_downtime():
    engine = replace(ENGINE, limit=20)
    limited = [
        [one.title for one in singles(part) if isinstance(one, Command) and "limited.py " in one.line]
        for part in (engine.hot_pass(), engine.cold_pass())
    ]
    measured, *copied = limited[0]
    assert measured == "choose the cipher by measurement"
    assert copied == ["all trees", "rows of bj, proven equal", "rows of bj-data, proven equal"]
    assert limited[1] == []


def test_replication_takes_the_place_of_the_rows_and_is_ended_before_the_databases_are_in_place():
    engine = replace(ENGINE, replicate=True)
    cold = [one.title for one in singles(engine.cold_pass()) if isinstance(one, Command)]
    assert cold[1:3] == ["changes of bj, by replication", "changes of bj-data, by replication"]
    assert [one.host for one in engine.end_replication()] == ["origin", "target"]
    importing = singles(import_databases.actions(Settings(database_copy="replication")))
    titles = [one.title for one in importing]
    assert titles.index("end the replication") < titles.index("put the imported databases in place")
    assert [one for one in commands() if "replication" in one.title] == []


def test_the_way_back_ends_replication_on_the_origin_first_where_its_log_would_grow():
    titles = [one.title for one in singles(stop_target.undo(Settings(database_copy="replication")))]
    assert titles[:3] == ["end the replication", "end the replication", "stop BlueMind"]
    assert "end the replication" not in [one.title for one in singles(stop_target.undo(Settings()))]


def test_the_table_tells_what_speaks_against_replication():
    told = Result("target", "", 0, "databases\nreplication: wal_level of the origin is replica, \n")
    assert fast.read_probe(told)["replication"] == "no: wal_level of the origin is replica"
    assert fast.read_probe(Result("target", "", 0, "replication: \n"))["replication"] == "yes"
    assert "replication" not in fast.read_probe(Result("target", "", 0, "databases\n"))


def test_the_table_tells_the_cipher_and_what_was_measured():
    told = Result("target", "", 0, '{"cipher": "a", "measured": ["a 480 MB/s", "b 310 MB/s"]}')
    assert fast.read_ciphers(told) == {"cipher": "a 480 MB/s; b 310 MB/s"}
    refused = Result("target", "", 0, '{"cipher": "", "measured": ["a 480 MB/s"]}')
    assert fast.read_ciphers(refused) == {"cipher": "OpenSSH's own choice"}


def test_the_cipher_is_measured_before_anything_is_copied():
    titles = [one.title for one in singles(ENGINE.hot_pass())]
    assert titles.index("choose the cipher by measurement") < titles.index("all trees")


def test_where_the_fast_engine_does_no_part_each_condition_still_has_an_answer(tmp_path: Path):
    """An exit status other than 0 and 1 would say that nobody knows, and stop the run."""
    engine = replace(ENGINE, folder=str(tmp_path))
    actions = singles(iter([*engine.hot_pass(), *engine.cold_pass(), *engine.dump(), *engine.imports()]))
    lines = {one.when.line for one in actions if one.when}
    answers = {
        line: subprocess.run(["bash", "-c", line], capture_output=True, check=False).returncode
        for line in lines
    }
    assert set(answers.values()) == {0, 1}, answers
