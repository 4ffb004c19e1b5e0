"""What else is on a Debian server beside apt: what acts is still what was told, and nothing waits for an answer."""

from pathlib import Path
from shlex import quote

import pytest

from bmnb.bluemind import repository
from bmnb.lab import images
from bmnb.packages import TOOLS, judge
from bmnb.packages.apt import APT_GET, OTHERS, VERIFY
from bmnb.packages.tool import keep, put_back
from bmnb.steps import Command, Result
from tests.lab.chroot import within

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def image() -> Path:
    return images.base("bookworm", print, (*images.PACKAGE_TOOLS, "apt-listchanges", "needrestart"))


LIST = "dpkg-query -W -f '${Package} ${Version}\\n' | LC_ALL=C sort"
EXPECTED = ["bm-core 1 2", "bm-node 1 2", "bm-plugin - 2", "tool 1 2"]

# a package with a configuration file, whose configuration asks a question that has no answer yet
ASKING = r"""asking() {
  deb "$@"; local at=/build/$1; mkdir -p $at/etc; echo "of $2" > $at/etc/$1.conf; echo /etc/$1.conf > $at/DEBIAN/conffiles
  [ $2 = 1 ] || {
    printf 'Template: %s/sure\nType: boolean\nDescription: Sure?\n Really.\n' $1 > $at/DEBIAN/templates
    printf '#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_input critical %s/sure || [ $? -eq 30 ]\ndb_go || [ $? -eq 30 ]\n' $1 > $at/DEBIAN/config
    printf '#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_get %s/sure\n' $1 > $at/DEBIAN/postinst
    chmod 755 $at/DEBIAN/config $at/DEBIAN/postinst; }
  dpkg-deb -b $at /repository/${1}_${2}_all.deb
}
"""
PLATFORM = f"""{ASKING}deb bm-node 1; deb bm-core 1 'Depends: bm-node'; asking tool 1; publish; apt-get -y install bm-core tool
echo mine >> /etc/tool.conf
deb bm-node 2; deb bm-plugin 2; deb bm-core 2 'Depends: bm-node, bm-plugin'; asking tool 2; publish"""

ASKS = r"""printf '$nrconf{restart} = "i"; $nrconf{ui} = "NeedRestart::UI::stdio"; 1;\n' > /etc/needrestart/conf.d/ask.conf
printf '[apt]\nfrontend=pager\nconfirm=1\nwhich=both\nemail_address=root\nsave_seen=none\n' > /etc/apt/listchanges.conf
printf 'debconf debconf/%s\n' 'frontend select Readline' 'priority select low' | debconf-set-selections
printf 'APT::Get::Assume-Yes "false";\nDpkg::Progress-Fancy "1";\nAPT::Color "1";\nAptitude::CmdLine::Always-Prompt "true";\n' > /etc/apt/apt.conf.d/99ask
export LANG=fr_FR.UTF-8"""
SAYS_YES = r"""printf 'APT::Get::Assume-Yes "true";\nAptitude::CmdLine::Assume-Yes "true";\nDPkg::Options {"--force-confnew";};\n' > /etc/apt/apt.conf.d/99yes
echo force-confnew > /etc/dpkg/dpkg.cfg.d/new"""
PHASED = r"""sed -i 's/^Package: tool$/&\nPhased-Update-Percentage: 0/' /repository/Packages; apt-get update
echo 'APT::Get::Never-Include-Phased-Updates "true";' > /etc/apt/apt.conf.d/99phased"""


def told_and_acted(tool: str) -> str:
    """What the tool's simulation says, and what has become of the packages, with nobody at the input."""
    act = Command("core", TOOLS[tool].upgrade, env=TOOLS[tool].env).script
    return f"""{LIST} > /before; ( {TOOLS[tool].upgradable} ) | LC_ALL=C sort; {LIST} | cmp /before - && echo --
cat > /act <<'END'
{act}
END
env -i PATH=$PATH LANG=$LANG timeout 120 bash /act < /dev/null > /said 2>&1 || {{ echo "ended with $?"; cat /said; }}
{LIST} > /after; acted /before /after; echo --; cat /etc/tool.conf"""


@pytest.mark.parametrize("tool", ["aptitude", "apt-get"])
@pytest.mark.parametrize("around", [ASKS, SAYS_YES], ids=["all that asks", "all that says yes"])
def test_what_acts_is_what_was_told_and_nothing_is_asked(image: Path, around: str, tool: str):
    told, acted, kept = within(image, f"{PLATFORM}\n{around}", told_and_acted(tool)).split("--\n")
    assert told.splitlines() == EXPECTED
    assert acted.splitlines() == EXPECTED
    assert kept == "of 1\nmine\n"


@pytest.mark.parametrize("tool", ["aptitude", "apt-get"])
def test_an_update_in_phases_comes_where_it_was_told_and_else_does_not(image: Path, tool: str):
    told, acted, _ = within(image, f"{PLATFORM}\n{PHASED}", told_and_acted(tool)).split("--\n")
    assert told == acted
    assert [line for line in told.splitlines() if line.startswith("bm-")] == EXPECTED[:3]


# one that is the only way to the packages, whose server has no name outside of it
PROXY = r"""cat > /proxy.py <<'END'
import http.server, os, pathlib, urllib.parse
class Proxy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked = urllib.parse.urlsplit(self.path)
        file = pathlib.Path("/repository") / asked.path.lstrip("/")
        found = asked.hostname == "packages.invalid" and file.is_file()
        body = file.read_bytes() if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
pathlib.Path("/port").write_text(str(server.server_port))
server.serve_forever()
END
python3 /proxy.py > /dev/null 2>&1 & proxy=$!; trap 'kill $proxy' EXIT; until [ -s /port ]; do sleep 0.1; done
echo "Acquire::http::Proxy \"http://127.0.0.1:$(cat /port)/\";" > /etc/apt/apt.conf.d/proxy
echo 'deb [trusted=yes] http://packages.invalid ./' > /etc/apt/sources.list.d/bm.list
rm -rf /var/lib/apt/lists/*; apt-get update"""


def test_a_proxy_of_apt_is_the_way_for_all_that_is_fetched(image: Path):
    key = "export GNUPGHOME=/gnupg; mkdir -m 700 /gnupg; gpg --batch --passphrase '' --quick-generate-key a rsa2048 sign; gpg --export -a > /repository/key.asc"
    line = f"""( {VERIFY} ) | grep '^E:'
( {keep("/kept", APT_GET)} ) | grep -c kept; ( {APT_GET.refresh} && {APT_GET.download} && {APT_GET.upgrade} ) > /dev/null
( {repository.fetch("/work", "http://packages.invalid/key.asc")} ) | grep -c ^pub; states bm-core"""
    said = within(image, f"{PLATFORM}; {key}; {PROXY}", line)
    assert said == "2\n1\nii  bm-core 2\n"


def test_a_proxy_that_is_away_is_named(image: Path):
    prepare = f"{PLATFORM}; {PROXY}; echo 'Acquire::http::Proxy \"http://127.0.0.1:1/\";' > /etc/apt/apt.conf.d/proxy"
    seen = judge.verified(Result("core", "", 0, within(image, prepare, f"( {VERIFY} ) || true"))).seen
    assert "127.0.0.1" in seen
    assert "onnect" in seen


EXPIRED = r"""mkdir -p /other; cp /repository/tool*.deb /other; cd /other
apt-ftparchive packages . > Packages; apt-ftparchive release . > /Release; mv /Release .
export GNUPGHOME=/gnupg; mkdir -m 700 /gnupg; then="--faked-system-time 20200101T000000"
gpg $then --batch --passphrase '' --quick-generate-key 'other <a@example.org>' rsa2048 sign 1d
gpg $then --batch --yes --clearsign --output InRelease Release; gpg $then --export > /etc/apt/keyrings/other.gpg; cd /
echo 'deb [signed-by=/etc/apt/keyrings/other.gpg] file:/other ./' > /etc/apt/sources.list.d/other.list"""


def test_an_expired_key_of_another_s_source_is_the_cause_that_is_told(image: Path):
    told = within(image, f"{PLATFORM}; {EXPIRED}", f"( {OTHERS} ) || true")
    verdict = judge.readable(Result("core", "", 0, told))
    assert not verdict.holds
    assert "EXPKEYSIG" in verdict.seen
    assert "file:/other" in verdict.seen


# a terminal's Ctrl-C and a lost connection reach dpkg's whole group
INTERRUPTED = r"""deb bm-node 2 '' 'touch /begun; sleep 5'; publish
setsid bash -c "$act" > /dev/null 2>&1 & job=$!; until [ -e /begun ]; do sleep 0.1; done; kill -INT -- -$job; wait $job; true"""


@pytest.mark.parametrize("tool", ["aptitude", "apt-get"])
def test_after_an_interrupt_in_the_middle_there_is_a_way_on_and_a_way_back(image: Path, tool: str):
    act = Command("core", TOOLS[tool].upgrade, env=TOOLS[tool].env).script
    prepare = f"{PLATFORM}; ( {keep('/kept', APT_GET)} ); act={quote(act)}; {INTERRUPTED}"
    back = f"( {put_back('/kept', TOOLS[tool])} ) > /dev/null && states 'bm-*'"
    on = f"( {TOOLS[tool].recover}\n{TOOLS[tool].upgrade} ) > /dev/null && states 'bm-*'"
    assert within(image, prepare, back).startswith("ii  bm-core 1\nii  bm-node 1\n")
    assert within(image, prepare, on) == "ii  bm-core 2\nii  bm-node 2\nii  bm-plugin 2\n"
