"""Labs for tests: real servers, with the same data as the demo's, so that it is made once."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bmnb.lab import Lab

pytestmark = pytest.mark.lab


@contextmanager
def booted(name: str, boot: Callable[..., Lab] = Lab.up, **options: str | int) -> Iterator[Lab]:
    lab = Lab(f"{name}-{os.getpid()}", print)
    try:
        yield boot(lab, **options)
    finally:
        lab.down()


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab of the module's own; `OPTIONS` of the module are those of `bmnb lab up`, `BOOT` is another lab's."""
    module = request.module
    boot = getattr(module, "BOOT", Lab.up)
    with booted(module.__name__.rsplit("_", 1)[-1], boot, **getattr(module, "OPTIONS", {})) as up:
        yield up
