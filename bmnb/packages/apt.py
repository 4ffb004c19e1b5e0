"""Debian's family: aptitude, as the document has it, and apt-get where that is all there is."""

from dataclasses import replace

from bmnb.packages.tool import Tool

ENV = {
    "DEBIAN_FRONTEND": "noninteractive",
    "APT_LISTCHANGES_FRONTEND": "none",
    "NEEDRESTART_MODE": "l",
}

KEEP_OLD = ("--no-force-confnew", "--force-confold")
"""The local configuration file stays; the package's new one lies beside it as .dpkg-dist. The former would count more,
and may be in the server's own configuration of apt or dpkg."""

KEEP = " ".join(f"-o Dpkg::Options::={option}" for option in KEEP_OLD)
DPKG = f"dpkg {' '.join(KEEP_OLD)}"

WAIT = "-o DPkg::Lock::Timeout=600"

LIST = "/etc/apt/sources.list.d/bm.list"
KEYRING = "/etc/apt/keyrings/bluemind.asc"


def _simulated(act: str) -> str:
    """What the tool's own simulation says that it would do, as NAME INSTALLED CANDIDATE."""
    return (
        f"set -o pipefail; LC_ALL=C {act} < /dev/null | sed -nE 's/^Inst ([^ ]+) \\[([^]]+)\\] \\(([^ ]+).*/\\1 \\2 \\3/p; "
        "s/^Inst ([^ ]+) \\(([^ ]+).*/\\1 - \\2/p; s/^(Remv|Purg) ([^ ]+) \\[([^]]+)\\].*/\\2 \\3 -/p'"
    )


def _read_lists(options: str) -> str:
    """Lists are read into a folder that is thrown away; signature and age are verified as in any update."""
    return f"""lists=$(mktemp -d) && trap 'rm -rf "$lists"' EXIT && chmod 755 "$lists"
LC_ALL=C apt-get {options} -o Dir::State::Lists="$lists" \\
  -o Acquire::Retries=0 -o Acquire::http::Timeout=20 -o APT::Update::Error-Mode=any update 2>&1 | grep -E '^(E|W|Err|Hit|Get)'"""


OTHERS = f"""parts=$(mktemp -d) && chmod 755 "$parts" || exit 2
for file in /etc/apt/sources.list.d/*; do [ "$file" = {LIST} ] || cp "$file" "$parts" || exit 2; done
{_read_lists('-o Dir::Etc::SourceParts="$parts" -o Acquire::Languages=none')}; rm -rf "$parts\""""

VERIFY = _read_lists(f"-o Dir::Etc::SourceList={LIST} -o Dir::Etc::SourceParts=/dev/null")

# awk of the older releases knows no [:space:]
RELEASES = """. /etc/os-release; echo "running $VERSION_CODENAME"
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null |
  sed -nE 's/^[[:space:]]*deb[[:space:]]+(\\[[^]]*\\][[:space:]]+)?([^[:space:]]+)[[:space:]]+([^[:space:]]+).*/source \\2 \\3/p'
for file in /etc/apt/sources.list.d/*.sources; do
  [ ! -e "$file" ] || sed '/^#/d' "$file" | awk 'BEGIN {RS = ""; FS = "\\n"} {
    split("", field); name = ""
    for (n = 1; n <= NF; n++) {
      line = $n
      if (line ~ /^[^ \\t:]+:/) {name = tolower(substr(line, 1, index(line, ":") - 1)); line = substr(line, index(line, ":") + 1)}
      field[name] = field[name] " " line
    }
    if (field["types"] !~ /deb( |$)/ || tolower(field["enabled"]) ~ /^ *(no|false|0|off) *$/) next
    uris = split(field["uris"], uri, /[ \\t]+/); suites = split(field["suites"], suite, /[ \\t]+/)
    for (u = 1; u <= uris; u++) for (s = 1; s <= suites; s++) if (uri[u] != "" && suite[s] != "") print "source", uri[u], suite[s]
  }'
done
LC_ALL=C apt-cache policy | awk '$1 ~ /^-?[0-9]+$/ {uri = $2} $1 == "release" && /(^|[ ,])o=(Debian|Ubuntu)(,|$)/ {print "own", uri}' | sort -u
LC_ALL=C apt-cache policy base-files | awk '/Installed:/ {old = $2} /Candidate:/ {print "release", old, $2}'"""

# files in the cache have %3a for the colon of an epoch, as those that are downloaded
KEEP_FILES = r"""apt-get -q -o APT::Update::Error-Mode=any update || exit 1
wanted=()
while read -r status name version architecture; do
  cached=/var/cache/apt/archives/${name}_${version//:/%3a}_$architecture.deb
  if [ "$status" != installed ]; then continue
  elif [ -e "$cached" ]; then cp "$cached" . || exit 1
  else wanted+=("$name=$version"); fi
done < <(dpkg-query -W -f '${db:Status-Status} ${Package} ${Version} ${Architecture}\n' 'bm-*')
[ ${#wanted[@]} -eq 0 ] || { apt-get -q download "${wanted[@]}"; }"""

# a package that was killed while it was unpacked cannot be configured, and --fix-broken alone leaves it. It is
# installed again when dpkg has taken up what it had noted, and what others depend on is there: before, apt-get refuses
CUT = r"""dpkg-query -W -f '${db:Status-Eflag} ${Package}\n' | awk '$1 == "reinstreq" {print $2}'"""
COMPLETE = f"{DPKG} --configure -a; apt-get -y {KEEP} {WAIT} --fix-broken install"
RECOVER = f"""{COMPLETE}
cut=$({CUT}); [ -z "$cut" ] || apt-get -y {KEEP} {WAIT} --fix-broken --reinstall install $cut
{COMPLETE}"""

# dpkg asks nothing of the package that it replaces but that its prerm ends well or the new one's does: a postinst that
# fails for ever is not run again. What others depend on is in the folder too
PUT_OVER = f"{DPKG} --force-downgrade --install ./*.deb"

# what is new comes along where others depend on it, as with aptitude
UPGRADE = "--with-new-pkgs upgrade"

# a pin of packages by name; those of whole repositories are not looked at
HELD = """apt-mark showhold
cat /etc/apt/preferences /etc/apt/preferences.d/* 2> /dev/null | sed -nE 's/^Package: *//p' | tr ' ' '\\n'"""

NEWER = (
    "set -o pipefail; LC_ALL=C apt list --upgradable 2> /dev/null | "
    "sed -nE 's/^([^/]+)\\/[^ ]* ([^ ]+) .*\\[upgradable from: ([^]]+)\\]$/\\1 \\3 \\2/p'"
)

APT_GET = Tool(
    name="apt-get",
    distributions=("debian", "ubuntu"),
    refresh="apt-get -o APT::Update::Error-Mode=any update",
    download=f"apt-get -y {WAIT} --download-only {UPGRADE}",
    full_download=f"apt-get -y {WAIT} --download-only dist-upgrade",
    upgrade=f"apt-get -y {KEEP} {WAIT} {UPGRADE}",
    full_upgrade=f"apt-get -y {KEEP} {WAIT} dist-upgrade",
    upgradable=_simulated(f"apt-get -s {UPGRADE}"),
    full_upgradable=_simulated("apt-get -s dist-upgrade"),
    newer=NEWER,
    size=f"apt-get --print-uris -y -qq {UPGRADE} | awk '{{bytes += $3}} END {{print bytes + 0}}'",
    fetched="du -sb /var/cache/apt/archives | cut -f1",
    cache="/var/cache/apt/archives",
    held=HELD,
    broken=(
        "set -o pipefail; dpkg-query -W -f '${db:Status-Abbrev} ${Package}\\n' | awk '$1 !~ /^[uihrp][icn]$/ {print $2}'"
    ),
    recover=RECOVER,
    locks="/var/(lib/dpkg|lib/apt|cache/apt)/.*lock",
    left=("*.dpkg-dist", "*.dpkg-new"),
    repository=LIST,
    verify=VERIFY,
    sources=OTHERS,
    releases=RELEASES,
    keep=KEEP_FILES,
    put_over=PUT_OVER,
    put_back=f"apt-get -y {KEEP} {WAIT} --allow-downgrades --allow-change-held-packages install ./*.deb",
    env=ENV,
)

APTITUDE = replace(
    APT_GET,
    name="aptitude",
    refresh="aptitude update",
    # aptitude knows no time to wait for a lock
    download="aptitude -y --download-only upgrade",
    full_download="aptitude -y --download-only full-upgrade",
    upgrade=f"aptitude -y {KEEP} upgrade",
    full_upgrade=f"aptitude -y {KEEP} full-upgrade",
    # it also removes what nothing that is left has asked for, which apt-get only tells
    upgradable=_simulated("aptitude -s -y -v upgrade"),
    full_upgradable=_simulated("aptitude -s -y -v full-upgrade"),
)
