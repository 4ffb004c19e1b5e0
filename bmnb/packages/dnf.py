"""RedHat's family: yum, as the document has it, which is dnf from version 8 on."""

from dataclasses import replace

from bmnb.packages.tool import Tool

REPOSITORY = "/etc/yum.repos.d/bm.repo"

# a long name has the rest of its row on the next line; what follows another heading is left out of the upgrade
_TABLE = r"""
function named(line) {sub(/\.[^.]*$/, "", line); return line}
/^(Installing|Upgrading|Downgrading|Reinstalling)[^:]*:$/ {does = (/^Installing/ ? "new" : "newer"); next}
/^Removing[^:]*:$/ {does = "gone"; next}
/^[^ ]/ || /^$/ {does = ""}
does == "" {next}
$1 == "replacing" {if (named($2) != name) print "gone", named($2), $3, 0; next}
/^ [^ ]/ {row = ""}
{
  row = row " " $0
  if (split(row, field) < 5) next
  name = field[1]; sub(/^[0-9]+:/, "", field[3]); row = ""
  print does, name, field[3], int(field[5] * 1024 ^ (index("kMG", substr($NF, 1, 1)) * ($NF ~ /^[kMG]/)))
}"""


def _asked(tool: str) -> str:
    """What the tool says that it would do, when it is answered no, as new, newer or gone, NAME VERSION BYTES.

    It ends with 1 then, as it does with an error.
    """
    return f"""said=$(LC_ALL=C {tool} --color=never --assumeno upgrade 2>&1 < /dev/null) || grep -q '^Operation aborted' <<< "$said" ||
  {{ tail -n 20 <<< "$said" >&2; exit 2; }}
awk '{_TABLE}' <<< "$said\""""


def _simulated(tool: str) -> str:
    return f"""set -o pipefail; {{ {_asked(tool)}
}} | while read -r does name version _; do
  case $does in new) echo "$name - $version";; gone) echo "$name $version -";;
  newer) echo "$name $(rpm -q --qf '%{{VERSION}}-%{{RELEASE}}\\n' "$name" | tail -n 1) $version";; esac
done"""


def _size(tool: str) -> str:
    return f"{_asked(tool)} | awk '$1 != \"gone\" {{bytes += $4}} END {{print bytes + 0}}'"


def _trial(tool: str) -> str:
    """rpm's own test of the whole transaction: files of two packages, room, scripts' needs. It stops before it acts."""
    return f"LC_ALL=C {tool} -y --setopt=tsflags=test upgrade > /dev/null"


_NEWER = (
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
    upgradable=_simulated("yum"),
    full_upgradable=_simulated("yum"),
    newer=_NEWER,
    size=_size("yum"),
    trial=_trial("yum"),
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
    upgradable=_simulated("dnf"),
    full_upgradable=_simulated("dnf"),
    size=_size("dnf"),
    trial=_trial("dnf"),
    keep=_keep("dnf"),
    put_back="dnf -y downgrade ./*.rpm",
)
