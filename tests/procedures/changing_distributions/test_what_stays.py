"""What a run leaves on the servers is what docs/safety.md lists."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch

import pytest

from bmnb.procedures.changing_distributions import PROCEDURE, clean_up
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.settings import make
from bmnb.steps import Command, Single, singles
from tests.lab.migration import listed

WAYS = [{}, {"switch": "by-hand"}, {"switch": "new-address", "new_address": "203.0.113.7"}]


def commands(settings: Settings, *steps) -> Iterator[tuple[str, Single]]:
    """The text of each command, with the server that it runs on."""
    for step in steps:
        for one in singles(step.actions(settings)):
            if isinstance(one, Command):
                yield one.host, one.script


def names(settings: Settings, text: str) -> set[str]:
    return set(re.findall(rf"{re.escape(settings.work)}/([A-Za-z0-9_.*-]+)", text))


@pytest.mark.parametrize("engine", ["fast", "literal"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.get("switch", "take-over"))
def test_what_the_commands_name_is_removed_at_the_end_or_listed(way: dict[str, str], engine: str):
    settings = make(Settings, {**way, "engine": engine, "watch_minutes": 60})
    removed = {
        name
        for host, text in commands(settings, clean_up)
        if host == settings.target and re.search(r"\brm -r?f ", text)
        for name in names(settings, text)
    }
    made = {
        (host == settings.origin, name)
        for host, text in commands(settings, *(one for one in PROCEDURE.steps if one is not clean_up))
        for name in names(settings, text)
        if not name.endswith(".new")  # which gets its own name at once
    }
    kept = {there: listed(there) for there in (True, False)}
    assert not {
        (there, name)
        for there, name in made
        if not any(fnmatch(f"CLIENT/{name}", one) for one in kept[there])
        and (there or not any(fnmatch(name, one) for one in removed))
    }
