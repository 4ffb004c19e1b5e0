"""Which habits are tried together: each once, or each pair of them; the same seed gives the same sets."""

import os
import random
from collections.abc import Sequence
from itertools import zip_longest

from allpairspy import AllPairs

from bmnb.lab.habits import Habit, places

SEED = int(os.environ.get("BMNB_SEED", random.randrange(1_000_000)))


def each_once(habits: Sequence[Habit]) -> list[list[Habit]]:
    """As few sets as go without two habits of one place; each habit is in one of them."""
    chance = random.Random(SEED)
    alternatives = [chance.sample(of_it, len(of_it)) for of_it in places(habits).values()]
    return [[one for one in row if one] for row in zip_longest(*alternatives)]


def each_pair(habits: Sequence[Habit]) -> list[list[Habit]]:
    """Sets in which any two habits that do not exclude each other meet, and each is missing beside each other one."""
    chance = random.Random(SEED)
    alternatives = [[None, *chance.sample(of_it, len(of_it))] for of_it in places(habits).values()]
    chance.shuffle(alternatives)
    order = list(habits)
    sets = [[one for one in row if one] for row in AllPairs(alternatives)]
    return [sorted(row, key=order.index) for row in sets if row]
