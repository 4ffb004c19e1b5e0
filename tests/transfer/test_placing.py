"""Programs that are put on a server."""

import subprocess
from pathlib import Path

import pytest

from bmnb.transfer import fast
from bmnb.transfer.placing import contents, place
from bmnb.verification import files

PIPE_BYTES = 64 << 10


@pytest.mark.parametrize("programs", [fast.PROGRAMS, files.PROGRAMS], ids=lambda path: path.name)
def test_they_are_there_as_they_are_here(tmp_path: Path, programs: Path):
    subprocess.run(
        ["bash", "-c", place(str(tmp_path), programs)], input=contents(programs), text=True, check=True
    )
    there = {one.name: one.read_text() for one in (tmp_path / programs.name).iterdir()}
    assert there == {one.name: one.read_text() for one in programs.glob("*.py")}


@pytest.mark.parametrize("programs", [fast.PROGRAMS, files.PROGRAMS], ids=lambda path: path.name)
def test_they_come_where_tmp_is_full(programs: Path):
    assert len(contents(programs)) < PIPE_BYTES
