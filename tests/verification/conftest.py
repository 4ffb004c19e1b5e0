"""A tree such as both servers have."""

import os
from pathlib import Path

import pytest

from tests.verification.sides import Sides, both


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    box = tree / "p/domain/e/example.org/a/user/anna^b"
    (box / "Sent").mkdir(parents=True)
    (box / "1.").write_bytes(b"one")
    (box / "Sent" / "2.").write_bytes(b"two")
    os.link(box / "1.", box / "3.")
    (tree / os.fsdecode(b"odd \xff\n'\"$(x)")).write_bytes(b"odd")
    (tree / "link").symlink_to("nowhere")
    (tree / "empty").mkdir()
    return tree


@pytest.fixture
def sides(tree: Path) -> Sides:
    return both(tree)
