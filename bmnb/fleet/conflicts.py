"""What is wrong among the clients of a fleet, though each by itself is right."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from bmnb import settings
from bmnb.fleet.members import Member
from bmnb.remote.config import Config
from bmnb.steps import Procedure


def conflicts(procedure: Procedure, members: Sequence[Member]) -> list[str]:
    """Each in one line: names and servers that two clients share, and orders that have no beginning."""
    return [*_twice(members), *_shared(procedure, members), *_order(members)]


def _twice(members: Sequence[Member]) -> Iterator[str]:
    first = dict[str, Member]()
    for one in members:
        if first.setdefault(one.name, one) is not one:
            yield f"{one.source}: client {one.name!r} stands in {first[one.name].source} too"


def _shared(procedure: Procedure, members: Sequence[Member]) -> Iterator[str]:
    """What names a server that another client names, by any of ssh's names for it."""
    names = [one.name for one in settings.ordered(procedure.settings) if one.metadata.get("server")]
    usual = settings.defaults(procedure.settings)
    configs, first = dict[str, Config](), dict[object, Member]()
    for member in members:
        values = {**usual, **member.values}
        file = str(Path(values["ssh_config"]).expanduser())
        config = configs.setdefault(file, Config(Path(file)))
        for server in dict.fromkeys(values[name] for name in names if values[name]):
            found = config.find(server)
            other = first.setdefault((found.jump, found.hostname, found.port), member)
            if other is not member:
                yield f"{member.source}: {server} ({found.hostname}) is a server of {other.source} too"


def _order(members: Sequence[Member]) -> Iterator[str]:
    known = [one.name for one in members]
    for one in members:
        for other in one.wishes.after:
            if other not in known:
                nearest = difflib.get_close_matches(other, known, n=1, cutoff=0.0)[0]
                yield f"{one.source}: after: no client {other!r}: did you mean {nearest!r}?"
    try:
        TopologicalSorter({one.name: one.wishes.after for one in members}).prepare()
    except CycleError as error:
        yield "after: each waits for the next: " + ", ".join(error.args[1])
