"""The lines of the package tools with real dpkg, apt, aptitude and rpm."""

from pathlib import Path

import pytest

from bmnb.lab import images
from bmnb.packages import TOOLS, judge
from bmnb.packages.apt import APT_GET, APTITUDE, HELD, OTHERS, RELEASES
from bmnb.packages.tool import PACKAGES, as_kept, keep, put_back
from bmnb.procedures.updating_bluemind import Settings, going_back
from bmnb.steps import Result, Together
from tests.lab.chroot import within

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def image() -> Path:
    return images.base("bookworm", print, images.PACKAGE_TOOLS)


KEPT = f"""deb bm-node 1; deb bm-core 1 'Depends: bm-node'; deb alone 1; publish
apt-get -y install bm-core alone; apt-mark auto alone; ( {keep("/kept", APT_GET)} )
rm -f /repository/bm-*_1_all.deb"""
AS_BEFORE = "ii  bm-core 1\nii  bm-node 1\n"


@pytest.mark.parametrize(
    ("tool", "breaks"),
    [
        ("aptitude", "deb bm-node 2 '' 'exit 1'"),
        (
            "aptitude",
            "deb bm-node 2; deb bm-plugin 2; deb bm-core 2 'Depends: bm-node (>= 2), bm-plugin' 'exit 1'",
        ),
        # a kernel that finds no room in /boot, and a trigger that fails
        (
            "aptitude",
            "deb bm-node 2; deb bm-core 2 'Depends: bm-node'; deb alone 2 '' 'echo no space left >&2; exit 1'",
        ),
        (
            "apt-get",
            "deb bm-node 2; deb bm-core 2 'Depends: bm-node'; deb alone 2; mkdir -p /build/alone/DEBIAN; "
            "echo 'interest-await /usr/share/bm' > /build/alone/DEBIAN/triggers; "
            "printf '#!/bin/sh\\n[ \"$1\" != triggered ]\\n' > /build/alone/DEBIAN/postinst; chmod 755 /build/alone/DEBIAN/postinst; "
            "dpkg-deb -b /build/alone /repository/alone_2_all.deb; publish; apt-get -y install alone; "
            "mkdir -p /build/bm-node/usr/share/bm; touch /build/bm-node/usr/share/bm/a; dpkg-deb -b /build/bm-node /repository/bm-node_2_all.deb",
        ),
    ],
    ids=["its postinst fails", "another one's with what is new", "no room in /boot", "a trigger"],
)
def test_what_cannot_be_completed_is_put_back_all_the_same(image: Path, tool: str, breaks: str):
    prepare = f"{KEPT}\n{breaks}; publish; apt-mark manual alone; {TOOLS[tool].upgrade}"
    script = f"dpkg --audit | head -c 1; ( {put_back('/kept', TOOLS[tool])} ) > /dev/null && states bm-core bm-node | sed s/^iW/ii/"
    assert within(image, prepare, script) == f"T{AS_BEFORE}", (
        "dpkg says of what is broken: The following packages"
    )


def test_what_the_update_has_removed_is_put_back_too(image: Path):
    prepare = f"{KEPT}\ndpkg --purge bm-core"
    script = f"( {put_back('/kept', APT_GET)} ) > /dev/null && states 'bm-*'"
    assert within(image, prepare, script) == AS_BEFORE


@pytest.mark.parametrize(
    ("by_hand", "left"),
    [
        (
            "deb bm-node 2; deb bm-core 2 'Depends: bm-node'; publish; apt-get -y upgrade",
            f"restarted\n{AS_BEFORE}",
        ),
        ("true", AS_BEFORE),
    ],
    ids=["updated by hand", "as it was"],
)
def test_a_server_that_somebody_has_updated_goes_back_with_the_others(image: Path, by_hand: str, left: str):
    [action, *_] = going_back.undo_save(Settings(client="a", servers=[], package_tool="apt-get"))
    assert isinstance(action, Together)
    line = action.actions[0].line.replace(Settings(client="a").kept, "/kept")
    saved = f"mkdir -p {Settings(client='a').work}/before"
    script = f"{saved}; systemctl() {{ :; }}; bmctl() {{ echo restarted; }}; ( {line} ) | grep restarted; states 'bm-*'"
    assert within(image, f"{KEPT}\n{by_hand}", script) == left


def test_aptitude_tells_that_it_removes_what_nothing_has_asked_for(image: Path):
    prepare = f"{KEPT}\ndeb bm-node 2; publish"
    assert sorted(within(image, prepare, APTITUDE.upgradable).splitlines()) == ["alone 1 -", "bm-node 1 2"]
    assert within(image, prepare, APT_GET.upgradable) == "bm-node 1 2\n"


@pytest.mark.parametrize("tool", ["aptitude", "apt-get"])
def test_what_is_new_comes_along_as_it_was_told(image: Path, tool: str):
    prepare = f"{KEPT}\ndeb bm-node 2; deb bm-plugin 2; deb bm-core 2 'Depends: bm-node, bm-plugin'; publish"
    told = sorted(["bm-core 1 2", "bm-node 1 2", "bm-plugin - 2"])
    prepare += "; apt-mark manual alone"
    assert sorted(within(image, prepare, TOOLS[tool].upgradable).splitlines()) == told
    acted = within(image, f"{prepare}; {TOOLS[tool].upgrade}", "states 'bm-*'")
    assert acted == "ii  bm-core 2\nii  bm-node 2\nii  bm-plugin 2\n"


SOURCES = r"""mkdir -p /repository; publish; cd /etc/apt/sources.list.d
printf 'deb\thttps://repos.example.net/debian\tstable\tmain\n' > tabs.list
printf '  deb [ arch=amd64 ]  http://deb.debian.org/debian \t trixie main\n#deb http://deb.debian.org/debian forky main\n' > next.list
cat > more.sources <<'END'
# ours
Types: deb deb-src
URIs: http://security.debian.org/debian-security
  http://mirror.example.net/debian
Suites: stable-security bookworm
Components: main

Types: deb
Enabled: no
URIs: http://deb.debian.org/debian
Suites: sid
END"""


def test_sources_of_every_form_are_read_and_only_the_distribution_s_judge_the_release(image: Path):
    told = within(image, f"deb unused 1; {SOURCES}", RELEASES)
    assert [line.removeprefix("source ") for line in told.splitlines() if line.startswith("source")] == [
        "file:/repository ./",
        "http://deb.debian.org/debian trixie",
        "https://repos.example.net/debian stable",
        "http://security.debian.org/debian-security stable-security",
        "http://security.debian.org/debian-security bookworm",
        "http://mirror.example.net/debian stable-security",
        "http://mirror.example.net/debian bookworm",
    ]
    seen = judge.same_release(Result("core", "", 0, told)).seen
    assert "http://deb.debian.org/debian is for trixie" in seen
    assert "http://mirror.example.net/debian is for stable-security" in seen, (
        "it has what runs: it is a mirror"
    )
    assert "repos.example.net" not in seen


def test_a_pin_holds_back_as_a_hold_does(image: Path):
    pin = "printf 'Package: bm-node\\nPin: version 1\\nPin-Priority: 1001\\n' > /etc/apt/preferences.d/ours"
    prepare = f"{KEPT}; {pin}; apt-mark hold bm-core"
    assert within(image, prepare, f"( {HELD} ) || true") == "bm-core\nbm-node\n"


def test_another_s_source_that_is_not_there_is_named_and_bluemind_s_own_is_not_its_matter(image: Path):
    prepare = f"{KEPT}; rm /repository/Packages"
    assert judge.readable(Result("core", "", 0, within(image, prepare, f"( {OTHERS} ) || true"))).holds
    prepare += "; echo 'deb [trusted=yes] file:/gone ./' > /etc/apt/sources.list.d/gone.list"
    seen = judge.readable(Result("core", "", 0, within(image, prepare, OTHERS))).seen
    assert "file:/gone" in seen
    assert "file:/repository" not in seen


# Debian's rpm keeps its list beside its user; dpkg-query is put out of the way of what asks either
RPM = f"""rpmdb --initdb; mv /usr/bin/dpkg-query /root/
for version in 1 2; do for name in bm-core bm-node; do
  printf 'Name: %s\\nVersion: %s\\nRelease: 1\\nSummary: a\\nLicense: MIT\\nBuildArch: noarch\\n%%description\\na\\n%%files\\n' $name $version > a.spec
  rpmbuild -bb --define "_rpmdir /built/$version" a.spec
done; done
mkdir /kept; cp /built/1/noarch/*.rpm /kept; rpm -i /kept/*.rpm; {PACKAGES} > /kept/installed"""


@pytest.mark.parametrize(
    "breaks",
    [
        "rpm -U /built/2/noarch/*.rpm",
        "rpm -U /built/2/noarch/bm-node*.rpm",
        "rpm -i --force /built/2/noarch/bm-core*.rpm",
        "rpm -e bm-node",
    ],
    ids=["all updated", "one updated", "killed between two versions", "one removed"],
)
def test_packages_of_redhat_s_family_are_put_back(image: Path, breaks: str):
    script = f"{{ {as_kept('/kept')}; }} && echo nothing is broken; ( {put_back('/kept', TOOLS['dnf'])} ) > /dev/null && rpm -qa | sort"
    assert within(image, f"{RPM}\n{breaks}", script) == "bm-core-1-1.noarch\nbm-node-1-1.noarch\n"
