"""Habits as they are declared, listed and asked for; no server is booted."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bmnb.errors import InputError
from bmnb.lab.cli import lab
from bmnb.lab.habits import CARRIED, HABITS, KINDS, REFUSED, named
from bmnb.lab.habits.page import page
from tests.lab.covering import each_once, each_pair

PAGE = Path(__file__).parents[2] / "docs" / "servers.md"


def test_the_page_is_made_of_the_habits():
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m bmnb.lab.habits > docs/servers.md"


def test_names_are_names_and_unique():
    assert len(HABITS) == sum(len(kind) for kind in KINDS.values())
    assert all(name == name.lower() and " " not in name for name in HABITS)


def test_what_is_refused_can_be_taken_back():
    assert [habit.name for habit in REFUSED if habit.undo.keys() != habit.scripts.keys()] == []


def test_an_unknown_habit_is_told_with_those_that_there_are():
    with pytest.raises(InputError, match=r"no habit is called gretting; there are: .*greeting"):
        named(["proxy", "gretting"])


def test_two_of_one_place_exclude_each_other():
    with pytest.raises(InputError, match="exclude each other: both change root's shell on the origin"):
        named(["sh-of-the-origin", "csh-or-fish-of-the-origin"])


def test_they_are_listed_with_what_comes_of_them():
    listed = json.loads(CliRunner().invoke(lab, ["habits", "--json"]).stdout)
    assert [row["habit"] for row in listed] == list(HABITS)
    assert {row["comes"].partition(":")[0] for row in listed} == {"Carried", "Refused"}


def test_each_is_tried_at_least_once():
    for habits in (CARRIED, REFUSED):
        assert {habit.name for row in each_once(habits) for habit in row} == {habit.name for habit in habits}


def test_any_two_that_can_meet_do():
    rows = [{habit.name for habit in row} for row in each_pair(CARRIED)]
    for one in CARRIED:
        for other in CARRIED:
            if one.name < other.name and (not one.place or one.place != other.place):
                assert any({one.name, other.name} <= row for row in rows), (one.name, other.name)
