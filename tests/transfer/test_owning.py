"""Owners and access lists are told by name, and must be known on the target."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bmnb.steps import Result
from bmnb.transfer import owning
from bmnb.transfer.asking import owners


def told(*owners: tuple[str, int, str]) -> Result:
    return Result("server", "", 0, "".join(f"{json.dumps(one)}\n" for one in owners))


def test_each_user_and_group_of_the_origin_must_be_known():
    origin = told(("user", 5, "cyrus"), ("group", 8, "mail"))
    known = told(("group", 8, "mail"), ("user", 6, "cyrus"), ("user", 5, "other"))
    assert owning.all_known(origin, known).seen == "user cyrus, group mail"
    assert owning.all_known(origin, known).holds
    missing = owning.all_known(origin, told(("user", 8, "mail"), ("user", 5, "cyrus")))
    assert missing.seen == "missing: group mail"


def test_a_number_without_a_name_may_be_nobody_else_s_on_the_target():
    origin = told(("user", 843, ""), ("group", 843, ""), ("user", 5, "cyrus"))
    free = told(("user", 5, "cyrus"), ("group", 844, "bluemind"))
    assert owning.all_known(origin, free).holds
    taken = owning.all_known(origin, told(("user", 5, "cyrus"), ("user", 843, "bluemind")))
    assert taken.seen == "user 843, without a name on the origin, is bluemind on the target"
    assert not taken.holds


def test_where_nothing_is_told_of_owners_it_could_not_be_seen():
    cyrus = told(("user", 5, "cyrus"))
    assert not owning.all_known(told(), cyrus).made
    assert not owning.all_known(cyrus, told()).made
    assert not owning.all_known(cyrus, replace(cyrus, exit=1)).made


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
    groups = [["group", 0, "root"], ["group", 1, "daemon"], ["group", 3, "sys"]]
    users = [["user", 0, "root"], ["user", 1, "daemon"], ["user", 2, "bin"], ["user", 54321, ""]]
    assert [json.loads(line) for line in lines] == [*groups, *users]


def test_what_the_target_knows_is_told_in_the_same_form():
    here = subprocess.run(["bash", "-c", owning.HERE], capture_output=True, text=True, check=True).stdout
    assert {("user", 0, "root"), ("group", 0, "root")} <= {
        tuple(json.loads(line)) for line in here.splitlines()
    }
