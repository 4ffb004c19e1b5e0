"""A copy takes what is in the files: holes are kept, and compression is not."""

import os
import subprocess
import sys
from pathlib import Path

from bmnb.transfer.asking import weights


def test_holes_do_not_count_and_a_file_with_two_names_counts_once(tmp_path: Path):
    tree, place = tmp_path / "tree", tmp_path / "a place"
    place.mkdir()
    tree.symlink_to(place)
    (place / "holes").write_bytes(b"begin")
    os.truncate(place / "holes", 5 << 30)
    (place / "full").write_bytes(b"x" * 100_000)
    os.link(place / "full", place / "linked")
    (place / "dangling").symlink_to("/nowhere")
    os.mkfifo(place / "fifo")
    program = [sys.executable, weights.__file__, str(tree), str(tmp_path / "absent")]
    told = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    name, size, inodes, at = told.rstrip("\n").split(" ", 3)
    assert (name, inodes, at) == (str(tree), "5", str(place))
    assert 100_000 < int(size) < 150_000


def test_what_a_file_system_compresses_counts_as_it_is(tmp_path: Path):
    path = tmp_path / "mail"
    path.write_bytes(b"x" * 1_000_000)
    found = path.stat()
    # a stat_result's blocks are not among the fields that it is made of
    compressed = os.stat_result(tuple(found)[:10], {"st_blocks": 16})
    assert weights.taken(os.fsencode(path), compressed) == 1_003_520


def test_a_file_that_is_gone_takes_nothing(tmp_path: Path):
    path = tmp_path / "sparse"
    path.touch()
    os.truncate(path, 1_000_000)
    found = path.stat()
    path.unlink()
    assert weights.taken(os.fsencode(path), found) == 0
