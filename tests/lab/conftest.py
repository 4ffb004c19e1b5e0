"""Labs for tests: real servers, with the same data as the demo's, so that it is made once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bmnb.lab import Lab

pytestmark = pytest.mark.lab


@contextmanager
def booted(name: str, **options: str) -> Iterator[Lab]:
    lab = Lab(f"{name}-{os.getpid()}", print)
    try:
        yield lab.up(**options)
    finally:
        lab.down()


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab of the module's own; `OPTIONS` of the module are those of `bmnb lab up`."""
    module = request.module
    with booted(module.__name__.rsplit("_", 1)[-1], **getattr(module, "OPTIONS", {})) as up:
        yield up
