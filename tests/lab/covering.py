"""Which habits are tried together: each once, or each pair of them; the same seed gives the same sets."""

import os
import random
from collections.abc import Sequence
from itertools import zip_longest

from allpairspy import AllPairs

from bmnb.lab.habits import HABITS, Habit, places

SEED = int(os.environ["BMNB_SEED"])
"""Set for all processes of a run in tests/conftest.py, which prints it."""


def each_once(habits: Sequence[Habit]) -> list[list[Habit]]:
    """As few sets as go without two habits of one place; each habit is in one of them, many in several."""
    chance = random.Random(SEED)
    alternatives = [chance.sample(of_it, len(of_it)) for of_it in places(habits).values()]
    first, *others = [[one for one in row if one] for row in zip_longest(*alternatives)]
    again = [one for one, *rest in alternatives if not rest]
    return [
        in_order(row) for row in (first, *(row + chance.sample(again, len(again) // 2) for row in others))
    ]


def each_pair(habits: Sequence[Habit]) -> list[list[Habit]]:
    """Sets in which any two habits that do not exclude each other meet, and each is missing beside each other one."""
    chance = random.Random(SEED)
    alternatives = [[None, *chance.sample(of_it, len(of_it))] for of_it in places(habits).values()]
    chance.shuffle(alternatives)
    return [in_order([one for one in row if one]) for row in AllPairs(alternatives)]


def in_order(habits: Sequence[Habit]) -> list[Habit]:
    return sorted(habits, key=list(HABITS.values()).index)
