"""Owners and access lists are told by name, and must be known on the target."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bmnb.steps import Result
from bmnb.transfer import owning
from bmnb.transfer.asking import owners


def told(*names: str) -> Result:
    return Result("server", "", 0, "".join(f"{name}\n" for name in names))


def test_each_user_and_group_of_the_origin_must_be_known():
    origin = told("user cyrus", "group mail")
    assert owning.all_known(origin, told("group mail", "user cyrus", "user other")).holds
    assert owning.all_known(origin, told("user mail", "user cyrus")).seen == "missing: group mail"


def test_where_nothing_is_told_of_owners_it_could_not_be_seen():
    assert not owning.all_known(told(), told("user cyrus")).made


@pytest.mark.skipif(os.geteuid() != 0, reason="files are given to others")
def test_owners_of_files_folders_and_links_are_told_and_those_in_access_lists(tmp_path: Path):
    tree, place = tmp_path / "tree", tmp_path / "disk"
    place.mkdir()
    tree.symlink_to(place)
    (place / "file").touch()
    (place / "link").symlink_to("/nowhere")
    os.chown(place / "link", 1, 1, follow_symlinks=False)
    os.chown(place / "file", 54321, 0)
    acl = b"\2\0\0\0" + b"".join(
        owners.ENTRY.pack(tag, 4, number)
        for tag, number in ((1, 2**32 - 1), (2, 2), (4, 2**32 - 1), (8, 3), (16, 2**32 - 1), (32, 2**32 - 1))
    )
    os.setxattr(place / "file", "system.posix_acl_access", acl)
    program = [sys.executable, owners.__file__, str(tree), str(tmp_path / "absent")]
    lines = subprocess.run(program, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines == ["group root", "group daemon", "group sys", "user root", "user daemon", "user bin"]


def test_what_the_target_knows_is_told_in_the_same_form():
    here = subprocess.run(["bash", "-c", owning.HERE], capture_output=True, text=True, check=True).stdout
    assert {"user root", "group root"} <= set(here.splitlines())
