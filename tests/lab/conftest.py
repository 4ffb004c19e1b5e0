"""Labs for tests: real servers, most of them with the same small data, so that it is made once."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bmnb.lab import Lab

pytestmark = pytest.mark.lab

SMALL = {"messages": 1_000, "rows": 8_000, "users": 40, "partitions": 10}
"""A client whose size is not the point."""

CALM = "echo CHANGES_A_SECOND=5 > /etc/default/bmnb-writer; systemctl restart bmnb-writer"
"""Fewer users at work than usual, since many labs are up at once."""


PSQL = "ln -s /usr/lib/postgresql/*/bin/psql /usr/local/bin/psql"
"""PostgreSQL's own psql instead of Debian's, a script in Perl that takes five times as long, and comes to the same.

Whole runs with Debian's are those of `test_habits.py`, `test_surroundings.py`, `test_switch_by_hand.py` and the browser.
"""


@contextmanager
def booted(name: str, boot: Callable[..., Lab] = Lab.up, **options: Any) -> Iterator[Lab]:
    lab = Lab(f"{name}-{os.getpid()}", print)
    try:
        yield boot(lab, **options)
    finally:
        lab.down()


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab of the module's own; `OPTIONS` of the module are those of `bmnb lab up`, `BOOT` is another lab's."""
    module = request.module
    boot, options = getattr(module, "BOOT", Lab.up), getattr(module, "OPTIONS", {})
    usual = SMALL if boot is Lab.up else {}
    with booted(module.__name__.rsplit("_", 1)[-1], boot, **{**usual, **options}) as up:
        if usual and getattr(module, "ARE_CALM", True):
            up.origin.must(CALM)
        if getattr(module, "HAS_OWN_PSQL", usual):
            for server in up.servers:
                server.must(PSQL)
        yield up
