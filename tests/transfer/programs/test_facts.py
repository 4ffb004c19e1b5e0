"""What is compared of what was sent."""

import os
from pathlib import Path

from bmnb.transfer.programs.facts import content, sums


def test_the_proof_reads_content_and_names(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("same")
        os.utime(tmp_path / name, ns=(1, 1))
    paths = [bytes(tmp_path / name) for name in ("a", "b", "absent")]
    apart = sums(paths)
    assert content(apart[2]) == b"absent"
    (tmp_path / "b").unlink()
    os.link(tmp_path / "a", tmp_path / "b")
    assert sums(paths)[1] != apart[1], "two names of one file are not two files"
    (tmp_path / "a").write_text("else")
    os.utime(tmp_path / "a", ns=(1, 1))
    assert sums(paths)[0] != apart[0]


def test_an_owner_of_another_name_is_no_other_content(tmp_path: Path):
    """A number that has no name on one server may have one on the other; the comparison tells."""
    (tmp_path / "a").write_text("same")
    before = sums([bytes(tmp_path / "a")])[0]
    (tmp_path / "a").chmod(0o600)
    after = sums([bytes(tmp_path / "a")])[0]
    assert before != after
    assert content(before) == content(after)
    assert content(sums([bytes(tmp_path / "a" / "b")])[0]) == b"absent", (
        "what it was in is no folder any more"
    )
