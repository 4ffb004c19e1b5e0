"""What is compared of what was sent."""

import os
import stat
from pathlib import Path

import pytest

from bmnb.transfer.programs.facts import content, facts, sums
from bmnb.verification.comparing.paths import digest


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


@pytest.mark.parametrize("planted", ["link", "pipe"])
def test_what_is_put_in_a_file_s_place_is_neither_followed_nor_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str
):
    """After it was looked at, and before it is read."""
    secret, path = tmp_path / "secret", tmp_path / "mail"
    secret.write_text("root's own")
    if planted == "link":
        path.symlink_to(secret)
    else:
        os.mkfifo(path)
    looked = secret.stat()
    assert stat.S_ISREG(looked.st_mode)
    monkeypatch.setattr(os, "lstat", lambda _: looked)
    if planted == "link":
        with pytest.raises(OSError, match="symbolic links"):
            facts(bytes(path))
    else:
        assert facts(bytes(path)) != facts(bytes(secret))


@pytest.mark.parametrize("by_a_link", [False, True], ids=["a file", "a file by a link"])
@pytest.mark.parametrize("planted", ["link", "pipe"])
def test_nor_by_the_comparison(tmp_path: Path, by_a_link: bool, planted: str):
    secret, certificate, path = (tmp_path / name for name in ("secret", "certificate", "path"))
    secret.write_text("root's own")
    certificate.write_text("for everybody")
    path.symlink_to(certificate) if by_a_link else certificate.rename(path)
    found = path.stat()
    of_found, of_secret = digest(bytes(path), found), digest(bytes(secret), secret.stat())
    path.rename(tmp_path / "away")
    if planted == "link":
        path.symlink_to(secret)
        with pytest.raises(FileNotFoundError, match="something else"):
            digest(bytes(path), found)
    else:
        os.mkfifo(path)
        assert digest(bytes(path), found) not in (of_found, of_secret)
