"""What was written is taken back, and only that."""

import os
from pathlib import Path

import pytest

from bmnb.transfer.network import writing
from bmnb.transfer.network.edit import Refused

BEFORE, AFTER = "a\nb\nc\nd\n", "a\nnew\nb\n#bmnb c\nd\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "interfaces"
    path.write_text(BEFORE)
    path.chmod(0o640)
    return path


def test_a_link_is_written_through_and_the_mode_stays(file: Path, tmp_path: Path):
    link = tmp_path / "link"
    link.symlink_to(file)
    os.setxattr(file, "user.label", b"kept")
    writing.write({str(link): BEFORE}, {str(link): AFTER})
    assert link.is_symlink()
    assert file.read_text() == AFTER
    assert file.stat().st_mode & 0o777 == 0o640
    assert os.getxattr(file, "user.label") == b"kept"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["interfaces", "link"]


def test_what_others_write_meanwhile_is_not_overwritten(file: Path):
    file.write_text("theirs\n")
    with pytest.raises(Refused, match="has changed since it was read"):
        writing.write({str(file): BEFORE}, {str(file): AFTER})
    assert file.read_text() == "theirs\n"


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (AFTER, BEFORE),
        (BEFORE, BEFORE),
        (f"# theirs\n{AFTER}# theirs\n", f"# theirs\n{BEFORE}# theirs\n"),
        (AFTER.replace("d\n", "d\ne\n"), BEFORE.replace("d\n", "d\ne\n")),
    ],
)
def test_what_others_have_written_since_stays(file: Path, now: str, then: str):
    file.write_text(now)
    writing.take_back({str(file): BEFORE}, {str(file): AFTER})
    assert file.read_text() == then


def test_what_others_have_changed_in_the_same_place_is_refused(file: Path):
    file.write_text(AFTER.replace("#bmnb c", "# c is not needed"))
    with pytest.raises(Refused, match="was changed where this run had changed it"):
        writing.take_back({str(file): BEFORE}, {str(file): AFTER})
    assert "# c is not needed" in file.read_text()


def test_bytes_that_are_no_text_stay(file: Path):
    file.write_bytes(b"# caf\xe9\r\nb\n")
    text = file.read_bytes().decode(errors="surrogateescape")
    kept = writing.unpacked(writing.packed({str(file): text}))[str(file)]
    writing.write({str(file): kept}, {str(file): kept + "c\n"})
    assert file.read_bytes() == b"# caf\xe9\r\nb\nc\n"
