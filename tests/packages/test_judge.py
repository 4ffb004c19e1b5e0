"""What servers tell of their packages, and how it is judged for both families."""

import pytest

from bmnb.packages import TOOLS, judge
from bmnb.steps import Result


def told(text: str, host: str = "core", exit: int = 0) -> Result:
    return Result(host, "", exit, text)


CORE = "installed bm-core 4.9.3884\ninstalled bm-node 4.9.3884\ninstalled bm-nginx 1.23.3-bluemind1201\n"
EDGE = "installed bm-node 4.9.3884\nconfig-files bm-old 4.1.1\n"


def test_servers_have_the_same_version_though_not_the_same_packages():
    assert judge.same_version(told(CORE), told(EDGE, "edge")).seen == "4.9.3884 on 2 servers"


def test_a_server_on_another_version_is_named_with_its_package():
    other = told(EDGE.replace("4.9.3884", "4.9.1111"), "edge")
    verdict = judge.same_version(told(CORE), other)
    assert not verdict.holds
    assert verdict.seen == "bm-node: 4.9.3884 on core, 4.9.1111 on edge"
    assert not judge.same_version(told(CORE), told("", "edge")).holds


def test_a_server_that_shares_no_package_is_compared_by_bluemind_s_version():
    verdict = judge.same_version(told("installed bm-core 4.9.2\n"), told("installed bm-conf 4.9.1\n", "edge"))
    assert verdict.seen == "4.9.2 on core, 4.9.1 on edge"


@pytest.mark.parametrize(
    ("tool", "release", "holds"),
    [
        ("aptitude", "ID=debian\ntool=/usr/bin/aptitude\n", True),
        ("apt-get", "ID=linuxmint\nID_LIKE=ubuntu\ntool=/usr/bin/apt-get\n", True),
        ("yum", 'ID="rocky"\nID_LIKE="rhel centos fedora"\ntool=/usr/bin/yum\n', True),
        ("aptitude", "ID=debian\ntool=\n", False),
        ("yum", "ID=debian\ntool=/usr/bin/yum\n", False),
        ("aptitude", "ID=plan9\ntool=/usr/bin/aptitude\n", False),
        ("aptitude", "", False),
    ],
)
def test_the_distribution_must_be_of_the_tool_s_family(tool: str, release: str, holds: bool):
    assert judge.known_distribution(TOOLS[tool], told(release)).holds is holds


RUNNING = "running bookworm\nrelease 12.11 12.12\n"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (RUNNING + "source http://deb.debian.org/debian bookworm-updates\n", True),
        (RUNNING + "source https://apt.postgresql.org/pub/repos/apt bookworm-pgdg\n", True),
        (RUNNING + "source https://artifacts.elastic.co/packages/8.x/apt stable\n", True),
        (RUNNING + "source http://pkg.example.org/4.9 ./\n", True),
        (RUNNING + "source https://repos.example.net/debian stable\n", True),
        (RUNNING + "source https://download.example.net/linux/debian bullseye\n", True),
        (RUNNING + "source http://deb.debian.org/debian trixie\n", False),
        (
            RUNNING
            + "source http://mirror.example.net/debian/ stable\nown http://mirror.example.net/debian\n",
            False,
        ),
        (
            RUNNING + "source http://m.example.net/debian bookworm\nsource http://m.example.net/debian sid\n",
            False,
        ),
        (RUNNING + "source http://security.debian.org/debian-security stable-security\n", False),
        ("running bookworm\nrelease 12.11 13.1\n", False),
        ("running 9\nrelease 9.4 9.5\n", True),
        ("running 9\nreleasever 9\nrelease 9.4 none\n", True),
        ("running 9\nreleasever 10\n", False),
        ("running 8\nrelease 8.10 9.4\n", False),
        ("running \n", False),
    ],
)
def test_package_sources_must_not_lead_to_another_release(text: str, holds: bool):
    assert judge.same_release(told(text)).holds is holds


UPGRADABLE = (
    "bm-core 4.9.3884 4.9.4012\nbm-node 4.9.3884 4.9.4012\nlinux-image-amd64 6.1.1 6.1.2\ntzdata 1 2\n"
)


def test_what_comes_is_shown_apart():
    found = judge.listed_apart(told(UPGRADABLE))
    assert found.seen == "core: 2 BlueMind, 1 kernel, from the next restart on, 1 other"
    assert [item["package"] for item in found.items] == ["bm-core", "bm-node", "linux-image-amd64", "tzdata"]
    assert found.items[0] == {
        "server": "core",
        "kind": "BlueMind",
        "package": "bm-core",
        "installed": "4.9.3884",
        "new": "4.9.4012",
    }


def test_every_server_must_have_an_update_to_the_same_version():
    edge = told("bm-node 4.9.3884 4.9.4012\n", "edge")
    assert judge.candidates(told(UPGRADABLE), edge).seen == "4.9.4012 for 2 servers"
    assert judge.candidates(told(UPGRADABLE), told("tzdata 1 2\n", "edge")).seen == "nothing newer for edge"
    moved = judge.candidates(told(UPGRADABLE), told("bm-node 4.9.3884 4.9.4100\n", "edge"))
    assert not moved.holds
    assert "4.9.4100 for edge" in moved.seen


def test_a_server_that_has_the_new_version_already_counts_as_done():
    there = told("-- now\ninstalled bm-node 4.9.4012\n", "edge")
    assert judge.candidates(told(UPGRADABLE), there).seen == "4.9.4012 for 2 servers"
    behind = told("-- now\ninstalled bm-node 4.9.4000\n", "edge")
    assert judge.candidates(told(UPGRADABLE), behind).seen == "nothing newer for edge"
    assert not judge.candidates(there).holds, "nobody has anything newer"


def test_what_would_be_removed_is_told_and_is_for_a_person_to_accept():
    removed = told(UPGRADABLE + "apache2-utils 2.4 -\n")
    assert judge.listed_apart(removed).items[-1]["kind"] == "removed"
    verdict = judge.nothing_removed(removed)
    assert (verdict.holds, verdict.seen) == (False, "would be removed: apache2-utils on core")
    assert verdict.items == ({"server": "core", "package": "apache2-utils", "installed": "2.4"},)
    assert judge.nothing_removed(told(UPGRADABLE + "bm-plugin - 2\n")).holds
    assert judge.none_left(told("bm-old 1 -\n")).holds


def test_a_package_whose_trigger_waits_is_installed():
    assert judge.installed(told("triggers-awaited bm-node 4.9\nhalf-configured bm-core 4.9\n")) == {
        "bm-node": "4.9"
    }


def test_after_the_update_others_may_be_left_but_nothing_of_bluemind():
    assert judge.none_left(told("linux-image-amd64 6.1.1 6.1.2\n")).holds
    assert judge.none_left(told("bm-mapi 4.9.3884 4.9.4012\n")).seen == "bm-mapi on core"


def test_a_repository_of_bluemind_that_moved_on_after_the_download_is_seen():
    assert judge.same_candidates(told("")).holds
    assert judge.same_candidates(told("2c2\n< tzdata 1 2\n---\n> tzdata 1 3\n", exit=1)).holds
    moved = judge.same_candidates(told("2c2\n< bm-core 1 2\n---\n> bm-core 1 3\n", exit=1))
    assert (moved.holds, moved.seen) == (False, "core: bm-core")
    gone = "2d1\n< bm-core 1 2\n-- now\ninstalled bm-core "
    assert not judge.same_candidates(told(f"{gone}3\n", exit=1)).holds, (
        "another has updated it to something else"
    )
    assert not judge.same_candidates(told(f"{gone}1\n", exit=1)).holds, "it is not to be had any more"
    assert judge.same_candidates(told(f"{gone}2\n", exit=1)).holds, "another has done just that"
    removed = judge.same_candidates(told("3a4\n> apache2-utils 2.4 -\n", exit=1))
    assert removed.seen == "core: apache2-utils", "nobody has accepted that"


def test_packages_are_as_saved_where_only_new_ones_have_come():
    assert judge.as_saved(told("")).holds
    assert judge.as_saved(told("9a10\n> installed bm-new 2\n", exit=1)).holds
    changed = judge.as_saved(told("2c2\n< installed bm-core 1\n---\n> installed bm-core 2\n", exit=1))
    assert (changed.holds, changed.seen) == (False, "core: bm-core was 1")
    assert judge.as_saved(told("", exit=2)).seen == "nothing was noted on core"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Hit:1 http://pkg ./ InRelease\n", ""),
        ("Get:1 http://pkg\nW: http://pkg: Key is stored in legacy trusted.gpg keyring (…)\n", ""),
        ("Get:1 http://pkg ./ InRelease\nW: Failed\nE: The repository is not signed.\n", "not signed"),
        ("", "was not asked"),
    ],
)
def test_a_repository_counts_when_nothing_is_complained_of(text: str, complaint: str):
    verdict = judge.verified(told(text))
    assert verdict.holds is not bool(complaint)
    assert complaint in verdict.seen


def test_the_cause_is_told_with_what_comes_of_it():
    text = "Err:1 http://pkg ./ InRelease\nW: GPG error: http://pkg: NO_PUBKEY 1234\nE: The repository is not signed.\n"
    assert judge.verified(told(text)).seen == (
        "core: W: GPG error: http://pkg: NO_PUBKEY 1234 | E: The repository is not signed."
    )


def test_another_s_package_source_that_cannot_be_read_is_told_by_its_cause_and_a_warning_is_none():
    text = """Hit:1 http://deb.debian.org/debian bookworm InRelease
W: http://old.example.net: Signature by key uses weak algorithm
E: Failed to fetch https://repos.example.net/x/Packages  404  Not Found
E: Some index files failed to download. They have been ignored, or old ones used instead.
"""
    seen = judge.readable(told(text, exit=0))
    assert not seen.holds
    assert seen.seen == "core: E: Failed to fetch https://repos.example.net/x/Packages  404  Not Found"
    assert judge.readable(told(text.partition("E: ")[0])).holds
    assert judge.readable(told("", exit=1)).holds, "there is no other"


def test_space_is_three_times_what_comes_and_some():
    fetch = 100 * 10**6
    enough = f"fetch {fetch}\n/ {10**9}\n"
    assert judge.enough_space(told(enough)).seen == "100 MB come, there is room"
    short = judge.enough_space(told(f"fetch {fetch}\n/ {10**9}\n/var {3 * 10**8}\n", "mailbox"))
    assert short.seen == "/var on mailbox needs 568 MB, has 300 MB"


def test_held_and_broken_packages_are_named():
    assert judge.nothing_held(told("postgresql\n")).holds
    assert judge.nothing_held(told("bm-core\n")).seen == "bm-core on core"
    assert judge.nothing_broken(told("bm-core\n"), told("", "edge")).seen == "bm-core on core"
    assert judge.nothing_broken(told("")).holds
