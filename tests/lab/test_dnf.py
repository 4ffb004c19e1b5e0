"""What dnf and yum do is what they were asked to tell, with real dnf and rpm."""

from pathlib import Path

import pytest

from bmnb.lab import images
from bmnb.packages import TOOLS, judge
from bmnb.packages.dnf import YUM
from bmnb.steps import Result
from tests.lab.chroot import within

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def image() -> Path:
    return images.base("bookworm", print, images.PACKAGE_TOOLS)


LONG = f"a-package-{'with-a-long-name-' * 8}for-a-row"
SYSTEM = r"""rpmdb --initdb
rpm_of release 9 'Provides: system-release = 9
Provides: system-release(releasever) = 9
Provides: /bin/sh'"""
INSTALLED = f"""{SYSTEM}
rpm_of bm-core 1; rpm_of bm-node 1; rpm_of old 1; rpm_of tool 1; rpm_of {LONG} 1
rpm -i /repository/noarch/*.rpm"""
LIST = "rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE}\\n' | LC_ALL=C sort"
NEW_NODE = "rpm_of bm-node 2"


def told_and_acted(tool: str) -> str:
    """What the tool's simulation says, and what has then become of the packages."""
    return f"""{LIST} > /before; ( {TOOLS[tool].upgradable} ) | LC_ALL=C sort; {LIST} | cmp /before - && echo --
{TOOLS[tool].upgrade} > /dev/null; {LIST} > /after; acted /before /after"""


MODULES = r"""for stream in ours other; do printf 'document: modulemd
version: 2
data:
  name: tool
  stream: "%s"
  version: 1
  context: c
  arch: noarch
  summary: a
  description: a
  license: {module: [MIT]}
  artifacts: {rpms: ["tool-0:%s-1.noarch"]}
' $stream $([ $stream = ours ] && echo 2 || echo 3) | sed '1i ---' >> /modules.yaml; done
mkdir -p /etc/dnf/modules.d; printf '[tool]\nname=tool\nstream=ours\nprofiles=\nstate=enabled\n' > /etc/dnf/modules.d/tool.module"""
"""Two streams of a module, of which the first is enabled."""

WAYS = {
    "a new version": (NEW_NODE, ["bm-node 1-1 2-1"]),
    "with an epoch": ("rpm_of bm-core 3 'Epoch: 1'", ["bm-core 1-1 3-1"]),
    "something new that it depends on": (
        "rpm_of bm-core 2 'Requires: bm-plugin'; rpm_of bm-plugin 2",
        ["bm-core 1-1 2-1", "bm-plugin - 2-1"],
    ),
    "something new that it recommends": (
        "rpm_of bm-core 2 'Recommends: tool-extra'; rpm_of tool-extra 5",
        ["bm-core 1-1 2-1", "tool-extra - 5-1"],
    ),
    "one in the place of another": (
        f"{NEW_NODE}; rpm_of new 1 'Obsoletes: old'",
        ["bm-node 1-1 2-1", "new - 1-1", "old 1-1 -"],
    ),
    "an update in the place of another": (
        "rpm_of bm-node 2 'Obsoletes: old, tool'",
        ["bm-node 1-1 2-1", "old 1-1 -", "tool 1-1 -"],
    ),
    "a name too long for its row": (
        f"rpm_of {LONG} 2.{'2' * 40}; {NEW_NODE}",
        [f"{LONG} 1-1 2.{'2' * 40}-1", "bm-node 1-1 2-1"],
    ),
    "one whose dependency is not to be had": (
        f"rpm_of tool 2 'Requires: nowhere'; {NEW_NODE}",
        ["bm-node 1-1 2-1"],
    ),
    "an excluded one": (f"rpm_of tool 2; {NEW_NODE}; echo excludepkgs=tool >> /etc/dnf/dnf.conf", ["bm-node 1-1 2-1"]),
    "a configuration that says yes to all": (
        f"{NEW_NODE}; printf 'assumeyes=1\ndefaultyes=1\ncolor=always\n' >> /etc/dnf/dnf.conf",
        ["bm-node 1-1 2-1"],
    ),
    "modules, one of which is enabled": (
        f"{NEW_NODE}; {MODULES}; {NEW_NODE}; rpm_of tool 3 'ModularityLabel: tool:other:1:c'; rpm_of tool 2 'ModularityLabel: tool:ours:1:c'",
        ["bm-node 1-1 2-1", "tool 1-1 2-1"],
    ),
    "nothing": ("true", []),
}  # fmt: skip


@pytest.mark.parametrize(("way", "tool"), [*((way, "dnf") for way in WAYS), ("a new version", "yum")])
def test_what_acts_is_what_was_told(image: Path, way: str, tool: str):
    comes, expected = WAYS[way]
    said = within(image, f"{INSTALLED}\n{comes}; publish_rpms", told_and_acted(tool))
    told, acted = said.split("--\n")
    assert told.splitlines() == expected
    assert acted.splitlines() == expected


# two kernels may be installed side by side
KERNELS = (
    "echo installonly_limit=2 >> /etc/dnf/dnf.conf; for n in 1 2; do rpm_of kernel $n; rpm -i /repository/noarch/kernel-$n*; done; "
    "rpm_of kernel 3; rpm_of newer 1 'Obsoletes: tool'"
)


def test_the_oldest_kernel_goes_without_a_question_and_what_else_goes_with_one(image: Path):
    told = within(image, f"{INSTALLED}\n{KERNELS}; publish_rpms", YUM.upgradable)
    assert sorted(told.splitlines()) == ["kernel - 3-1", "kernel 1-1 -", "newer - 1-1", "tool 1-1 -"]
    verdict = judge.nothing_removed(Result("core", "", 0, told))
    assert (verdict.holds, verdict.seen) == (False, "would be removed: tool on core")


def test_what_cannot_be_told_is_not_nothing(image: Path):
    breaks = (
        "mv /repository /gone; rm -rf /var/cache/dnf; echo skip_if_unavailable=0 >> /etc/yum.repos.d/bm.repo"
    )
    said = within(
        image, f"{INSTALLED}\n{NEW_NODE}; publish_rpms; {breaks}", f"( {YUM.upgradable} ) 2>&1; echo $?"
    )
    assert said.endswith("2\n")
    assert "Failed to download metadata" in said


LEFT_OUT = "rpm_of bm-core 2 'Requires: nowhere'; rpm_of bm-node 2"


def test_what_an_upgrade_would_leave_out_of_bluemind_is_found_before_it(image: Path):
    line = judge.one_and_other(YUM.newer, YUM.upgradable)
    told = within(image, f"{INSTALLED}\n{LEFT_OUT}; publish_rpms", line)
    assert judge.none_left_out(Result("core", "", 0, told)).seen == "bm-core on core"
    told = within(image, f"{INSTALLED}\n{NEW_NODE}; publish_rpms", line)
    assert judge.none_left_out(Result("core", "", 0, told)).holds


def test_the_bytes_to_fetch_are_those_of_new_dependencies_too(image: Path):
    prepare = f"{INSTALLED}\nrpm_of bm-core 2 'Requires: bm-plugin'; rpm_of bm-plugin 2; publish_rpms"
    line = f"( {YUM.size} ); stat -c %s /repository/noarch/bm-*-2-1.noarch.rpm | awk '{{sum += $1}} END {{print sum}}'"
    told, real = map(int, within(image, prepare, line).split())
    assert told == pytest.approx(real, rel=0.05)


CLASH = "rpm_of foreign 1 '' /usr/share/bm/file; rpm -i /repository/noarch/foreign*; rpm_of bm-node 2 '' /usr/share/bm/file"


@pytest.mark.parametrize(
    ("comes", "says"), [(CLASH, "conflicts with file from package foreign-1-1.noarch"), (NEW_NODE, "0")]
)
def test_what_does_not_go_together_is_found_once_it_is_downloaded(image: Path, comes: str, says: str):
    script = f"{YUM.download} > /dev/null; ( {YUM.trial} ) 2>&1; echo $?; rpm -q bm-node"
    said = within(image, f"{INSTALLED}\n{comes}; publish_rpms", script)
    assert says in said
    assert said.endswith("bm-node-1-1.noarch\n"), "nothing is installed by it"


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("excludepkgs=bm-core,other", "/etc/dnf/dnf.conf"),
        ("exclude = bm-core other", "/etc/yum.repos.d/bm.repo"),
        ("excludepkgs =other, bm-*", "/etc/dnf/dnf.conf"),
    ],
)
def test_what_is_excluded_is_held_back(image: Path, line: str, place: str):
    told = within(image, f"{SYSTEM}; publish_rpms; printf '{line}\\n' >> {place}", f"( {YUM.held} ) || true")
    assert not judge.nothing_held(Result("core", "", 0, told)).holds
