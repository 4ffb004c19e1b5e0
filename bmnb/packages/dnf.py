"""RedHat's family: yum, as the document has it, which is dnf from version 8 on."""

from dataclasses import replace

from bmnb.packages.tool import Tool

REPOSITORY = "/etc/yum.repos.d/bm.repo"

_UPGRADABLE = (
    "set -o pipefail; dnf -q repoquery --upgrades --latest-limit 1 --qf '%{name} %{version}-%{release}' | while read -r name new; do "
    'echo "$name $(rpm -q --qf \'%{VERSION}-%{RELEASE}\\n\' "$name" | tail -n 1) $new"; done'
)


def _read_lists(options: str) -> str:
    return f"""cache=$(mktemp -d) && trap 'rm -rf "$cache"' EXIT
LC_ALL=C dnf -q {options} --setopt=cachedir="$cache" \\
  --setopt=timeout=20 --setopt=retries=1 makecache 2>&1 && echo 'Get: the repository answers'"""


VERIFY = _read_lists("--disablerepo='*' --enablerepo=bm --setopt=bm.skip_if_unavailable=0")

RELEASES = """. /etc/os-release; echo "running ${VERSION_ID%%.*}"
for file in /etc/dnf/vars/releasever /etc/yum/vars/releasever; do
  [ ! -s "$file" ] || echo "releasever $(cut -d. -f1 "$file")"
done
rpm -q --whatprovides system-release --qf '%{NAME} %{VERSION}\\n' | while read -r name old; do
  new=$(dnf -q repoquery --latest-limit 1 --qf '%{version}' "$name"); echo "release $old ${new:-none}"; done"""


def _keep(tool: str) -> str:
    return f"""{tool} -y --downloadonly --downloaddir=. reinstall $(rpm -qa --qf '%{{NAME}}\\n' 'bm-*') || exit 1
missing=$(comm -13 <(rpm -qp --qf '%{{NAME}}-%{{VERSION}}-%{{RELEASE}}\\n' ./*.rpm | sort) <(rpm -qa --qf '%{{NAME}}-%{{VERSION}}-%{{RELEASE}}\\n' 'bm-*' | sort))
[ -z "$missing" ] || {{ echo "not to be had any more:" $missing >&2; exit 1; }}"""


HELD = """cat /etc/dnf/plugins/versionlock.list /etc/yum/pluginconf.d/versionlock.list 2> /dev/null
cat /etc/dnf/dnf.conf /etc/yum.conf /etc/yum.repos.d/*.repo 2> /dev/null | sed -nE 's/^ *exclude(pkgs)? *= *//p' | tr ', ' '\\n\\n'"""

YUM = Tool(
    name="yum",
    distributions=("rhel", "centos", "rocky", "almalinux", "ol", "fedora"),
    refresh="yum makecache",
    download="yum -y --downloadonly upgrade",
    full_download="yum -y --downloadonly upgrade",
    upgrade="yum -y upgrade",
    full_upgrade="yum -y upgrade",
    upgradable=_UPGRADABLE,
    full_upgradable=_UPGRADABLE,
    size="dnf -q repoquery --upgrades --latest-limit 1 --qf '%{downloadsize}' | awk '{bytes += $1} END {print bytes + 0}'",
    fetched="du -sb /var/cache/dnf | cut -f1",
    cache="/var/cache/dnf",
    held=HELD,
    broken="rpm -qa --qf '%{NAME}\\n' | grep -v '^gpg-pubkey$' | sort | uniq -d | grep -vE '^kernel'",
    recover="dnf -y remove --duplicates",
    locks="/var/(lib/rpm/|lib/dnf/|cache/dnf/).*(lock|pid)",
    left=("*.rpmnew", "*.rpmsave"),
    repository=REPOSITORY,
    verify=VERIFY,
    # one whose file allows it to be away is left out by an upgrade as well
    sources=f"dnf -q repolist --disablerepo=bm | grep -q . || exit 0\n{_read_lists('--disablerepo=bm')}",
    releases=RELEASES,
    keep=_keep("yum"),
    put_over="rpm -U --oldpackage --replacepkgs ./*.rpm",
    put_back="yum -y downgrade ./*.rpm",
)

DNF = replace(
    YUM,
    name="dnf",
    refresh="dnf makecache",
    download="dnf -y --downloadonly upgrade",
    full_download="dnf -y --downloadonly upgrade",
    upgrade="dnf -y upgrade",
    full_upgrade="dnf -y upgrade",
    keep=_keep("dnf"),
    put_back="dnf -y downgrade ./*.rpm",
)
