"""What administrators do to their servers is carried, or refused before anything is stopped."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bmnb.errors import BmnbError
from bmnb.lab import Lab, habits
from bmnb.lab.demo import unexpected
from bmnb.lab.habits import CARRIED, REFUSED, Carried, Habit, Refused
from tests.lab.conftest import SMALL, booted
from tests.lab.covering import SEED, each_once, each_pair
from tests.lab.migration import client_file, done, finish, journal, opened

pytestmark = pytest.mark.lab
OPTIONS = {"messages": 200, "rows": 1_000, "users": 8}
ENGINES = ("fast", "literal")
PREREQUISITES = ("prerequisites", "key-authentication")


@pytest.fixture
def undone(lab: Lab) -> Iterator[list[Habit]]:
    """What is applied in a test, and taken back after it."""
    applied: list[Habit] = []
    yield applied
    for habit in reversed(applied):
        habits.undo(lab, habit)


def refusal(lab: Lab, runs: Path, upto: str) -> str:
    """What a run says that goes on up to this step; nothing where all holds."""
    # who is not let in from the target could not be reached through it either
    run = opened(lab, runs, engine="fast", keep_reachable=upto == PREREQUISITES[0])
    try:
        for step in run.procedure.steps:
            run(step)
            if step.name == upto:
                return ""
        raise AssertionError(f"no step {upto}")
    except BmnbError as stopped:
        return str(stopped)
    finally:
        run.close()


def refuses(lab: Lab, runs: Path, applied: Sequence[Habit]) -> None:
    """Each of the habits is refused where it says, in its words."""
    for step in PREREQUISITES:
        expected = [
            habit.comes for habit in applied if isinstance(habit.comes, Refused) and habit.comes.step == step
        ]
        if expected:
            said = refusal(lab, runs / step, step)
            wrong = [
                one
                for one in expected
                if not all(words in said for words in (one.check, one.seen, one.remedy))
            ]
            assert not wrong, f"seed {SEED}: {said}"


def of_step(step: str) -> list[Habit]:
    return [habit for habit in REFUSED if isinstance(habit.comes, Refused) and habit.comes.step == step]


@pytest.mark.parametrize("step", PREREQUISITES)
def test_what_is_refused_is_named_with_its_remedy(lab: Lab, tmp_path: Path, undone: list[Habit], step: str):
    """Together, since all that is wrong is told at once."""
    for together in each_once(of_step(step)):
        undone += together
        habits.apply(lab, together)
        refuses(lab, tmp_path, together)
        while undone:
            habits.undo(lab, undone.pop())
    for server in lab.servers:
        assert (server.run("test -e /var/lib/bmnb/test").returncode == 0) == (step != PREREQUISITES[0])


def test_what_was_taken_back_is_refused_no_more(lab: Lab, tmp_path: Path):
    for server in lab.servers:
        # the run before has left its lock for whoever goes on with it
        server.must("rm -rf /var/lib/bmnb")
    assert refusal(lab, tmp_path, PREREQUISITES[-1]) == ""


@pytest.mark.soak
@pytest.mark.parametrize("habit", REFUSED, ids=lambda habit: habit.name)
def test_each_is_refused_by_itself(lab: Lab, tmp_path: Path, undone: list[Habit], habit: Habit):
    undone.append(habit)
    habits.apply(lab, [habit])
    refuses(lab, tmp_path, [habit])


def carry(lab: Lab, runs: Path, together: Sequence[Habit], engine: str) -> None:
    names = f"seed {SEED}: {' '.join(habit.name for habit in together)}"
    print(names)
    habits.apply(lab, together)
    code, said = finish(client_file(lab, runs, engine=engine))
    assert code == 0, f"{names}\n{said}"
    assert unexpected(lab) == [], names
    assert done(runs, "files are the same", "verify-copy")
    texts = [
        path.read_text(errors="replace") for path in runs.rglob("*") if path.suffix in (".jsonl", ".log")
    ]
    assert "*** production ***" not in "".join(texts), names
    for habit in together:
        assert isinstance(habit.comes, Carried)
        seen = [line for line in journal(runs) if line.get("title") == habit.comes.check]
        assert habit.comes.seen in json.dumps(seen), habit.name
        habits.run(lab, {"origin": habit.comes.on_origin, "target": habit.comes.on_target})


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_carried_arrives(tmp_path: Path, engine: str):
    """Each habit with one of the engines, as many of them together as can be."""
    sets = each_once(CARRIED)
    assert len(sets) == len(ENGINES)
    with booted(f"habits-{engine}", **SMALL) as lab:
        carry(lab, tmp_path, sets[ENGINES.index(engine)], engine)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(len(each_pair(CARRIED))))
def test_pairs_are_carried(tmp_path: Path, number: int):
    with booted(f"pair-{number}", **SMALL) as lab:
        carry(lab, tmp_path, each_pair(CARRIED)[number], ENGINES[number % 2])
