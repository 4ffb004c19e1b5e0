"""Major versions by name and by package, and what may not be crossed in an update."""

import subprocess

import pytest

from bmnb.bluemind import releases
from bmnb.steps import Result


@pytest.mark.parametrize(
    ("version", "major"),
    [
        ("2.0.11", "2"),
        ("3.0.13", "3.0"),
        ("3.1.40213", "3.5"),
        ("3.5.14-2", "3.5"),
        ("4.1.42304", "4"),
        ("4.9.3884-1", "4"),
        ("5.1.8120", "5"),
        ("1:5.2", "5"),
        ("4", "4"),
    ],
)
def test_the_major_version_of_names_and_packages(version: str, major: str):
    assert releases.major(version) == major


@pytest.mark.parametrize(
    ("old", "new", "holds"),
    [
        ("4.1.42304", "4.1.65246", True),
        ("4.1.65246", "4.9.2894", True),
        ("2.0.1", "3.0.1", False),
        ("3.0.13", "3.1.40213", False),
        ("3.1.40213", "4.1.42304", False),
        ("4.9.3884", "5.1.8120", False),
    ],
)
def test_an_update_stays_within_a_major_version(old: str, new: str, holds: bool):
    assert (
        releases.within_major(Result("core", "", 0, f"bm-core {old} {new}\nbm-node {old} {new}\n")).holds
        is holds
    )


def test_packages_of_others_may_have_whatever_version():
    assert releases.within_major(Result("core", "", 0, "bm-postgresql 14.6 16.2\n")).holds


def test_the_version_that_is_asked_for_is_compared_by_name():
    installed = {"versionName": "4.9.9", "softwareVersion": "4.9.3884"}
    assert releases.leads_to("latest", installed).holds
    assert releases.leads_to("4.9.12", installed).holds
    assert not releases.leads_to("5", installed).holds


@pytest.mark.parametrize(
    ("comes", "status"),
    [
        ("bm-core 4.9.3884 4.9.4012\nbm-nginx 1.2 3.4", 1),
        ("bm-core 5.1.77 5.2.80", 0),
        ("bm-node 4.9.3884-1 5.0.1-1", 0),
        ("bm-core 4.1.63000 4.1.64000", 0),
        ("bm-plugin - 5.2.80\nbm-core 5.2.1 5.2.80", 1),
        ("bm-core 4.9.1 -", 1),
        ("tzdata 1 2", 1),
        ("", 1),
    ],
)
def test_an_update_is_important_where_the_first_two_numbers_change_or_cannot_tell_it(comes: str, status: int):
    line = releases.is_important(f"printf '{comes}\n'")
    assert subprocess.run(["bash", "-c", line], check=False).returncode == status
    assert subprocess.run(["bash", "-c", releases.is_important("false")], check=False).returncode == 2


@pytest.mark.parametrize(("new", "holds"), [("5.1.8120", True), ("4.9.4012", False)])
def test_the_wanted_major_version_comes_to_every_server(new: str, holds: bool):
    servers = [
        Result(host, "", 0, f"bm-node 4.9.3884 {new}\nbm-cyrus 4.9.3884 -\n") for host in ("core", "edge")
    ]
    assert releases.comes_to("5", *servers).holds is holds
    assert not releases.comes_to("5", servers[0], Result("mailbox", "", 0, "")).holds


@pytest.mark.parametrize(("name", "holds"), [("4.9.10", True), ("3.5.14", False), ("5.1.2", False)])
def test_only_the_version_before_it_leads_to_the_next_one(name: str, holds: bool):
    assert releases.is_before("5", {"versionName": name}).holds is holds
