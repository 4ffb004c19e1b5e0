"""What holds for all tests: their marks, their order, and how long an example may take."""

import gc
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import bmnb  # noqa: F401 before nbformat, of which it leaves a grammar alone that takes seconds

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

os.environ.setdefault("BMNB_SEED", str(random.randrange(1_000_000)))
"""What is left to chance is so by this number, in all processes of a run; set it to have the same run again."""

LONGEST = (
    *(
        "lab/test_faults_fast.py",
        "lab/test_faults.py",
        "lab/test_fleet.py",
        "lab/test_changing_distributions.py",
        "lab/test_habits.py",
    ),
    *("browser/", "lab/test_updating_bluemind.py", "lab/"),
)
"""Files and folders that begin first, so that none of them is left alone at the end."""

MEMORY = Path("/dev/shm")
ENOUGH = 4 << 30


def pytest_configure() -> None:
    """Files of tests lie in memory where there is enough: they are made and deleted by the thousand.

    An ext4 without a journal looks at each inode that was deleted in the last minute before it makes a new one.
    """
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH and _keeps_attributes(MEMORY):
        tempfile.tempdir = str(MEMORY)


def _keeps_attributes(folder: Path) -> bool:
    """Whether files there have extended attributes of users, as on a disk: in memory from Linux 6.6 on."""
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            os.setxattr(file.fileno(), "user.test", b"")
        except OSError:
            return False
    return True


def pytest_report_header() -> str:
    return f"BMNB_SEED={os.environ['BMNB_SEED']}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "soak" not in config.option.markexpr:
        deselect(config, items, [item for item in items if item.get_closest_marker("soak")])
    for item in items:
        if "tests/browser/" in item.nodeid or "page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What all modules hold stays to the end: Python's collector need not look at it again and again."""
    gc.freeze()


def deselect(config: pytest.Config, items: list[pytest.Item], left_out: list[pytest.Item]) -> None:
    """What takes a night is tried only where it is asked for."""
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def place(item: pytest.Item) -> int:
    """The rank of a test's file, a notebook's being the last."""
    return next((rank for rank, name in enumerate(LONGEST) if f"tests/{name}" in item.nodeid), len(LONGEST))


@pytest.fixture(autouse=True, scope="session")
def _files_need_not_reach_the_disk() -> Iterator[None]:
    """Whether they do is not seen before the power fails, and each takes milliseconds."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda descriptor: None)
        yield
