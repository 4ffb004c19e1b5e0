"""The lab's own comparison sees what is behind a link at a place that is named."""

import subprocess
from pathlib import Path

import pytest

from bmnb.lab.compare import Difference, Runner, files


def side(here: Path, name: str) -> Runner:
    """A server whose folder is at `here` while its turn is."""

    def run(script: str) -> str:
        here.unlink(missing_ok=True)
        here.symlink_to(name)
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout

    return run


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Two servers with a tree and a file, which are behind links on the origin."""
    for name in ("origin", "target"):
        (tmp_path / name / "data").mkdir(parents=True)
    (tmp_path / "origin/data/tree").mkdir()
    (tmp_path / "origin/data/tree/message").write_text("hello")
    (tmp_path / "origin/data/file").write_text("a certificate")
    (tmp_path / "origin/tree").symlink_to("data/tree")
    (tmp_path / "origin/file").symlink_to("data/file")
    return tmp_path / "here"


def differing(here: Path) -> list[Difference]:
    places = [str(here / "tree"), str(here / "file")]
    return list(files(side(here, "origin"), side(here, "target"), places))


def test_files_behind_a_link_are_missed_where_only_the_link_came(here: Path):
    target = here.parent / "target"
    subprocess.run(["cp", "-a", here.parent / "origin/tree", here.parent / "origin/file", target], check=True)
    assert str(here / "tree/message") in [one.name for one in differing(here)]


def test_what_is_behind_a_link_and_what_is_not_may_be_the_same(here: Path):
    origin, target = here.parent / "origin", here.parent / "target"
    subprocess.run(["cp", "-a", origin / "data/tree", origin / "data/file", target], check=True)
    assert not differing(here)
