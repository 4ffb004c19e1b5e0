"""An interrupt by a person, and the one with which Jupyter begins to end a kernel."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from bmnb import kernel

CELL = """
import time
from pathlib import Path
from bmnb import kernel
Path("begun").touch()
try:
    time.sleep(60)
except KeyboardInterrupt:
    Path("told").write_text(str(kernel.is_ending()))
"""


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and (path.name == "begun" or path.read_text()):
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{path} was never there")


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (lambda manager: manager.interrupt_kernel(), "False"),
        (lambda manager: manager.restart_kernel(), "True"),
        (lambda manager: manager.shutdown_kernel(), "True"),
    ],
    ids=["interrupt", "restart", "shutdown"],
)
def test_the_end_of_a_kernel_is_no_interrupt(tmp_path: Path, ends: Callable, told: str):
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        client.execute(CELL)
        wait_for(tmp_path / "begun")
        ends(manager)
        assert wait_for(tmp_path / "told") == told
    finally:
        client.stop_channels()
        if manager.is_alive():
            manager.shutdown_kernel(now=True)


def test_outside_of_a_kernel_an_interrupt_is_a_persons():
    assert kernel.is_ending() is False
