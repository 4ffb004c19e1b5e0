"""What holds for all tests: their marks, their order, and how long an example may take."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

LONGEST = (
    *(
        "lab/test_faults_fast.py",
        "lab/test_faults.py",
        "lab/test_fleet.py",
        "lab/test_changing_distributions.py",
    ),
    *("browser/", "lab/test_updating_bluemind.py", "lab/"),
)
"""Files and folders that begin first, so that none of them is left alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid or "page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    items.sort(key=place)


def place(item: pytest.Item) -> int:
    """The rank of a test's file, a notebook's being the last."""
    return next((rank for rank, name in enumerate(LONGEST) if f"tests/{name}" in item.nodeid), len(LONGEST))


@pytest.fixture(autouse=True, scope="session")
def _files_need_not_reach_the_disk() -> Iterator[None]:
    """Whether they do is not seen before the power fails, and each takes milliseconds."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda descriptor: None)
        yield
