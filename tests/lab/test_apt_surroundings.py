"""What else is on a Debian server beside apt: what acts is still what was told, and nothing waits for an answer."""

from pathlib import Path

import pytest

from bmnb.lab import images
from bmnb.packages import TOOLS, judge
from bmnb.packages.apt import APT_GET, OTHERS
from bmnb.packages.tool import keep, put_back
from bmnb.steps import Command, Result
from tests.lab.chroot import within

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def image() -> Path:
    return images.base("bookworm", print, (*images.PACKAGE_TOOLS, "apt-listchanges", "needrestart"))


INSTALLED = "deb bm-node 1; deb bm-core 1 'Depends: bm-node'; deb tool 1; publish; apt-get -y install bm-core tool"
COMES = "deb bm-node 2; deb bm-plugin 2; deb bm-core 2 'Depends: bm-node, bm-plugin'; deb tool 2; publish"
LIST = "dpkg-query -W -f '${Package} ${Version}\\n' | LC_ALL=C sort"
EXPECTED = ["bm-core 1 2", "bm-node 1 2", "bm-plugin - 2", "tool 1 2"]


def script(tool: str, line: str) -> str:
    """A line as the run gives it to the server: with its environment, and nobody at its input."""
    return Command("core", line, env=TOOLS[tool].env).script


def told_and_acted(tool: str) -> str:
    act = script(tool, TOOLS[tool].upgrade)
    return f"""{LIST} > /before; ( {TOOLS[tool].upgradable} ) | LC_ALL=C sort; {LIST} | cmp /before - && echo --
cat > /act <<'END'
{act}
END
env -i PATH=$PATH timeout 60 bash /act < /dev/null > /said 2>&1 || {{ echo "ended with $?"; cat /said; }}
{LIST} > /after; acted /before /after"""


ASKING = r"""asking() { # NAME VERSION: a package whose configuration asks a question that has no answer yet
  deb "$@"; local at=/build/$1
  printf 'Template: %s/sure\nType: boolean\nDescription: Sure?\n Really.\n' $1 > $at/DEBIAN/templates
  printf '#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_input critical %s/sure || [ $? -eq 30 ]\ndb_go || [ $? -eq 30 ]\n' $1 > $at/DEBIAN/config
  printf '#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_get %s/sure\n' $1 > $at/DEBIAN/postinst
  chmod 755 $at/DEBIAN/config $at/DEBIAN/postinst; dpkg-deb -b $at /repository/${1}_${2}_all.deb
}
"""
CONFFILE = r"""with_file() { # NAME VERSION: a package with a configuration file
  deb "$@"; local at=/build/$1; mkdir -p $at/etc; echo "of $2" > $at/etc/$1.conf; echo /etc/$1.conf > $at/DEBIAN/conffiles
  dpkg-deb -b $at /repository/${1}_${2}_all.deb
}
"""
SURROUNDINGS = {
    "needrestart, which asks what to restart": (
        "printf '$nrconf{restart} = \"i\"; $nrconf{ui} = \"NeedRestart::UI::stdio\"; 1;\n' > /etc/needrestart/conf.d/ask.conf"
    ),
    "apt-listchanges, which asks whether to go on": (
        "printf '[apt]\nfrontend=pager\nconfirm=1\nwhich=both\nemail_address=root\nsave_seen=none\n' > /etc/apt/listchanges.conf"
    ),
    "debconf's readline": (
        "echo 'debconf debconf/frontend select Readline' | debconf-set-selections; echo 'debconf debconf/priority select low' | "
        f"debconf-set-selections; {ASKING}asking tool 2; publish"
    ),
    "a configuration file that was edited": (
        f"{CONFFILE}with_file tool 1; publish; apt-get -y --reinstall install tool; echo mine >> /etc/tool.conf; with_file tool 2; publish"
    ),
    "a configuration of apt that asks": "printf 'APT::Get::Assume-Yes \"false\";\nAPT::Get::Show-User-Simulation-Note \"true\";\n' > /etc/apt/apt.conf.d/99ask",
    "a configuration of apt that says yes to all": "printf 'APT::Get::Assume-Yes \"true\";\nDPkg::Options {\"--force-confnew\";};\n' > /etc/apt/apt.conf.d/99yes",
    "colours and progress": "printf 'Dpkg::Progress-Fancy \"1\";\nAPT::Color \"1\";\nBinary::apt::APT::Color \"1\";\n' > /etc/apt/apt.conf.d/99color",
    "another language": "echo 'LANG=fr_FR.UTF-8' > /etc/default/locale; export LANG=fr_FR.UTF-8",
}  # fmt: skip


@pytest.mark.parametrize("tool", ["aptitude", "apt-get"])
@pytest.mark.parametrize("way", SURROUNDINGS)
def test_what_acts_is_what_was_told_and_nothing_is_asked(image: Path, way: str, tool: str):
    said = within(image, f"{INSTALLED}\n{COMES}\n{SURROUNDINGS[way]}", told_and_acted(tool))
    told, acted = said.split("--\n")
    assert told.splitlines() == EXPECTED
    assert acted.splitlines() == EXPECTED


PHASED = """sed -i 's/^Package: tool$/&\\nPhased-Update-Percentage: 0/' /repository/Packages; apt-get update
echo 'APT::Get::Never-Include-Phased-Updates "true";' > /etc/apt/apt.conf.d/99phased"""


@pytest.mark.parametrize("tool", ["aptitude", "apt-get"])
def test_an_update_in_phases_comes_where_it_was_told_and_else_does_not(image: Path, tool: str):
    said = within(image, f"{INSTALLED}\n{COMES}\n{PHASED}", told_and_acted(tool))
    told, acted = said.split("--\n")
    assert told == acted
    assert [line for line in told.splitlines() if line.startswith("bm-")] == EXPECTED[:3]
