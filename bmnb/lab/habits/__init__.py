"""Habits: what administrators do to their servers, to be rehearsed on the lab's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bmnb.errors import InputError
from bmnb.lab.habits import access, configuration, environment, families, jobs, links, shells, system
from bmnb.lab.habits.habit import Carried, Habit, Refused
from bmnb.lab.platform import Lab

KINDS = {
    "Links, mounts and disks": links.HABITS,
    "Access by ssh": access.HABITS,
    "Shells": shells.HABITS,
    "Environment of programs": environment.HABITS,
    "Configuration": configuration.HABITS,
    "Jobs, agents and units": jobs.HABITS,
    "The system": system.HABITS,
    "RedHat's family, and age": families.HABITS,
}
HABITS = {habit.name: habit for kind in KINDS.values() for habit in kind}
CARRIED = [
    habit for habit in HABITS.values() if isinstance(habit.comes, Carried) and habit not in families.HABITS
]
"""Those of another family are not left to chance: they make one origin in tests/lab/test_from_redhat.py."""
REFUSED = [habit for habit in HABITS.values() if isinstance(habit.comes, Refused)]


def named(names: Iterable[str]) -> list[Habit]:
    """The habits of these names, in their own order. Raise InputError for an unknown one, or two of one place."""
    wanted = set(names)
    unknown = sorted(wanted - HABITS.keys())
    if unknown:
        raise InputError(f"no habit is called {', '.join(unknown)}; there are: {', '.join(sorted(HABITS))}")
    found = [habit for name, habit in HABITS.items() if name in wanted]
    for place, of_it in places(found).items():
        if len(of_it) > 1:
            both = " and ".join(habit.name for habit in of_it)
            raise InputError(f"{both} exclude each other: both change {place}")
    return found


def places(habits: Iterable[Habit]) -> dict[str, list[Habit]]:
    """The habits by what they change, those of one place being such as exclude each other."""
    found: dict[str, list[Habit]] = {}
    for habit in habits:
        found.setdefault(habit.place or habit.name, []).append(habit)
    return found


def rows() -> list[dict[str, str]]:
    """A row a habit: its name, the servers it changes, what administrators do, what comes of it."""
    return [
        {"habit": habit.name, "servers": habit.servers, "does": habit.does, "comes": habit.comes.told}
        for habit in HABITS.values()
    ]


def apply(lab: Lab, habits: Sequence[Habit]) -> None:
    """Change the lab's servers as these administrators have."""
    for habit in habits:
        lab.tell(f"habit {habit.name}: {habit.does}")
        run(lab, habit.scripts)


def undo(lab: Lab, habit: Habit) -> None:
    run(lab, habit.undo)


def run(lab: Lab, scripts: Mapping[str, str]) -> None:
    """Run scripts by the roles of their servers. Raise BmnbError where one fails."""
    addresses = "".join(f"{server.name.upper()}={server.address}\n" for server in lab.servers)
    for role, script in scripts.items():
        lab.server(role).must(f"set -e\n{addresses}{script}")
