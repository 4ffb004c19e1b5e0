"""What is compared of what was sent."""

import os
from pathlib import Path

from bmnb.transfer.programs.facts import sums


def test_the_proof_reads_content_and_names(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("same")
        os.utime(tmp_path / name, ns=(1, 1))
    paths = [bytes(tmp_path / name) for name in ("a", "b", "absent")]
    apart = sums(paths)
    assert apart[2].startswith(b"absent")
    (tmp_path / "b").unlink()
    os.link(tmp_path / "a", tmp_path / "b")
    assert sums(paths)[1] != apart[1], "two names of one file are not two files"
    (tmp_path / "a").write_text("else")
    os.utime(tmp_path / "a", ns=(1, 1))
    assert sums(paths)[0] != apart[0]
