"""What a user of a server has laid where a run works is not followed: the run stops before it writes anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bmnb.errors import ActionFailed
from bmnb.remote import Servers
from tests.remote.test_locks import here, lock, place, work

FIXTURES = here, place, work  # a server on the loopback address, and where a run works on it

NOBODY = 65534


def test_a_folder_of_root_s_own_behind_a_link_is_as_good(here: Servers, tmp_path: Path, work: Path):
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    work.symlink_to("elsewhere")
    lock(here, tmp_path).take(["here"])
    assert (tmp_path / "elsewhere" / "lock").exists()
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("way", ["a link", "the folder", "a folder above", "anybody may write above"])
def test_a_folder_that_is_another_user_s_is_refused(here: Servers, tmp_path: Path, work: Path, way: str):
    above = tmp_path / "above"
    (above / "mine").mkdir(parents=True)
    if way == "anybody may write above":
        above.chmod(0o777)
    else:
        os.chown(above if way == "a folder above" else above / "mine", NOBODY, NOBODY)
    if way == "the folder":
        (above / "mine").rename(work)
    else:
        work.symlink_to("above/mine")
    for name in ("lock.guard", "lock.new", "head", "units"):
        (work / name).symlink_to(tmp_path / "theirs")
    (tmp_path / "theirs").write_text("not ours to write")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ActionFailed, match="others than root can put things in place of what lies in"):
        lock(here, tmp_path).take(["here"])
    assert [path for path in tmp_path.rglob("*") if path not in before] == []
    assert (tmp_path / "theirs").read_text() == "not ours to write"


def test_behind_a_link_that_leads_nowhere_nothing_is_made(here: Servers, tmp_path: Path, work: Path):
    work.symlink_to("nowhere")
    with pytest.raises(ActionFailed, match="cannot be taken"):
        lock(here, tmp_path).take(["here"])
    assert not (tmp_path / "nowhere").exists()


def test_a_link_that_anybody_could_have_laid_is_not_followed(here: Servers, tmp_path: Path, work: Path):
    """Though the folder that it leads to is root's own."""
    (tmp_path / "root's").mkdir()
    work.symlink_to("root's")
    tmp_path.chmod(0o777)
    with pytest.raises(ActionFailed, match="others than root can put things in place of what lies in"):
        lock(here, tmp_path).take(["here"])
    assert list((tmp_path / "root's").iterdir()) == []
