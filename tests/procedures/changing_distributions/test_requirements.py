"""What is seen on the servers, and what it must be."""

import pytest

from bmnb.procedures.changing_distributions.requirements import (
    can_log_in,
    clocks_agree,
    different,
    enough_space,
    network,
    rsync_compares_nanoseconds,
    same_packages,
    same_value,
)
from bmnb.procedures.changing_distributions.settings import Settings
from bmnb.settings import make
from bmnb.steps import Check, Result


def told(text: str, exit: int = 0) -> Result:
    return Result("server", "", exit, text)


def test_packages_must_be_the_same_in_the_same_versions():
    origin = told("installed bm-core 4.9.1\ninstalled bm-mapi 4.9.1\nnot-installed bm-hps \n")
    assert same_packages(origin, origin).holds
    wrong = same_packages(origin, told("installed bm-core 4.9.2\n"))
    assert (
        wrong.seen
        == "bm-core: 4.9.1 on the origin, 4.9.2 on the target; bm-mapi: 4.9.1 on the origin, none on the target; "
        "apt install bm-mapi=4.9.1, or yum install bm-mapi-4.9.1"
    )
    assert not same_packages(told(""), told("")).holds


def test_versions_of_rpm_have_neither_epoch_nor_release_and_those_of_dpkg_do():
    rpm = told("installed bm-core 4.9.1\ninstalled bm-elasticsearch 7.17.9\n")
    dpkg = "installed bm-core 4.9.1\ninstalled bm-elasticsearch 1:7.17.9-bluemind{}\n"
    assert same_packages(rpm, told(dpkg.format(1))).holds
    assert same_packages(told(dpkg.format(1)), rpm).holds
    assert not same_packages(told(dpkg.format(1)), told(dpkg.format(2))).holds
    assert not same_packages(rpm, told(dpkg.format(1).replace("7.17.9", "7.17.8"))).holds


def test_two_names_of_one_machine_are_refused():
    assert different(told("a\n"), told("b\n")).holds
    assert not different(told("a\n"), told("a\n")).holds
    assert not different(told(""), told("b\n")).holds


def test_an_external_url_must_be_there_and_the_same():
    assert same_value(told("mail.example.org\n"), told("mail.example.org\n")).holds
    assert not same_value(told(""), told("")).holds


def test_clocks_may_differ_by_seconds():
    assert clocks_agree(told("1000"), told("1002")).holds
    assert not clocks_agree(told("1000"), told("4600")).holds


def test_rsync_of_the_target_must_compare_nanoseconds():
    assert rsync_compares_nanoseconds(told("3.1.1"), told("3.2.7")).holds
    assert not rsync_compares_nanoseconds(told("3.2.7"), told("3.1.1")).holds
    assert not rsync_compares_nanoseconds(told(""), told("3.2.7")).holds


def test_space_is_counted_by_file_system_and_what_is_replaced_counts_as_free():
    origin = told("/var/spool/cyrus 1000 10 /data\n/var/spool/bm-hsm 1000 10 /data\nfree 20000\n")
    roomy = told(
        "/var/spool/cyrus / 3000 100 1000 0 /disk/a b\n/var/spool/bm-hsm / 3000 100 1000 0 /disk/a b\n"
    )
    assert enough_space(origin, roomy).holds
    small = told(
        "/var/spool/cyrus / 1500 100 1000 0 /disk/a b\n/var/spool/bm-hsm / 1500 100 1000 0 /disk/a b\n"
    )
    assert not enough_space(origin, small).holds
    again = told(
        "/var/spool/cyrus / 1500 100 1000 900 /disk/a b\n/var/spool/bm-hsm / 1500 100 1000 900 /disk/a b\n"
    )
    assert enough_space(origin, again).holds
    few_inodes = told(
        "/var/spool/cyrus / 3000 15 1000 0 /disk/a b\n/var/spool/bm-hsm / 3000 15 1000 0 /disk/a b\n"
    )
    assert not enough_space(origin, few_inodes).holds
    assert not enough_space(told(""), roomy).holds


def test_the_origin_needs_space_for_lists():
    target = told("/var/spool/cyrus / 3000 100 1000 0 /disk/a b\n")
    tight = enough_space(told("/var/spool/cyrus 1000 10 /data\nfree 9000\n"), target)
    assert not tight.holds
    assert "of the origin" in tight.seen
    assert enough_space(told("/var/spool/cyrus 1000 10 /data\nfree 10000\n"), target).holds


def test_a_missing_key_is_made_or_is_an_inhibitor():
    refused = Result("target", "", 255, "", "Permission denied (publickey).")
    assert can_log_in(True, refused).holds
    assert not can_log_in(False, refused).holds


def test_the_place_of_each_tree_is_shown():
    origin = told("/var/spool/cyrus 1000 10 /data/cyrus\nfree 20000\n")
    target = told("/var/spool/cyrus /srv 3000 100 1000 0 /srv/big disk\n")
    [item] = enough_space(origin, target).items
    assert item == {
        "item": "/var/spool/cyrus",
        "origin": "/data/cyrus",
        "target": "/srv/big disk",
        "file system": "/srv",
        "bytes": 1000,
        "entries": 10,
    }


@pytest.mark.parametrize(
    ("given", "asked"),
    [({}, True), ({"keep_reachable": False}, False), ({"switch": "by-hand"}, False)],
    ids=["take over", "without", "by hand it keeps an address"],
)
def test_that_the_origin_stays_in_reach_is_proven_before_the_downtime(given: dict[str, object], asked: bool):
    found = [one for one in network(make(Settings, given)) if isinstance(one, Check)]
    through = [one for one in found if one.via]
    listening = [one for one in found if "sshd will listen at 169.254." in one.title]
    assert [(one.at, one.via) for one in through] == asked * [("192.0.2.10", "targetsrv.domain.tld")]
    assert len(listening) == asked
    assert all("keep_reachable: false" in one.remedy for one in (*through, *listening))
