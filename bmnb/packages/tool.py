"""What a package tool is to the procedures: command lines, the same ones for both families.

Lines that tell something print it in one form, so that one function judges it for both families.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bmnb.steps import Result, Row


@dataclass(frozen=True)
class Tool:
    """The lines of a tool.

    `upgradable` prints NAME INSTALLED CANDIDATE a line (- where it is new, or would be removed), as the tool itself
    simulates what `upgrade` does; `newer` prints the same of what the repositories have, though an upgrade leaves it out. `trial` tries the
    downloaded packages together without installing them, where the tool can. `size` prints the bytes to fetch, `fetched` those that are there, `held` and `broken` names, `releases` the running release and what the package sources name. `verify` reads
    the repository of BlueMind alone, `sources` all others, into a folder that is thrown away. `keep` brings the installed packages of
    BlueMind as files into the folder that it runs in, from the cache or the repository, and fails where one is
    not to be had any more; `put_over` installs the files there over whatever is newer, in whatever state that is,
    `put_back` by the tool, which also brings what they depend on; that needs all else to be complete. `left` are the names under which
    a new version of a configuration file lies beside the local one.
    """

    name: str
    distributions: tuple[str, ...]
    refresh: str
    download: str
    full_download: str
    upgrade: str
    full_upgrade: str
    upgradable: str
    full_upgradable: str
    newer: str
    size: str
    fetched: str
    cache: str
    held: str
    broken: str
    recover: str
    locks: str
    left: tuple[str, ...]
    repository: str
    verify: str
    sources: str
    releases: str
    keep: str
    put_over: str
    put_back: str
    trial: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def wait(self) -> str:
        """Wait up to ten minutes while another package manager works, and say for which one."""
        return f"""for tick in $(seq 300); do
  held=$(lslocks -n -o COMMAND,PID,PATH | grep -E '{self.locks}') || exit 0
  echo "waits for" $held; sleep 2
done
echo "still at work after ten minutes:" $held >&2; exit 1"""


def keep(folder: str, tool: Tool) -> str:
    """A line that keeps the installed packages in a folder of root alone, and prints how many bytes each has."""
    return f"""umask 077; mkdir -p {folder} && cd {folder} || exit 1
{{ {tool.keep}
}} || exit 1
{PACKAGES} > installed || exit 1
find . -type f ! -name installed -printf 'kept %s\\n'"""


def read_kept(told: Result) -> Row:
    """Columns: how many packages are kept, and how much they take."""
    sizes = [int(line.split()[1]) for line in told.stdout.splitlines() if line.startswith("kept ")]
    return {"packages kept": len(sizes), "MB": round(sum(sizes) / 1e6, 1)}


INSTALLED = (
    "dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\\n' 'bm-*' 2> /dev/null || "
    "rpm -qa --qf 'installed %{NAME} %{VERSION}\\n' 'bm-*'"
)
"""A line that prints STATUS NAME VERSION of each of BlueMind's packages, on either family."""

PACKAGES = f"({INSTALLED}) | sed -E 's/^triggers-(awaited|pending) /installed /' | LC_ALL=C sort"
"""The same in one order. A package whose trigger another one has not seen to is itself installed, and works."""


def as_kept(folder: str) -> str:
    """A line that holds where each package that was installed when they were kept is so again, in that version alone.

    rpm has both versions where it was killed between them.
    """
    return f"""[ -s {folder}/installed ] && awk '$1 != "installed" {{next}} NR == FNR {{kept[$2] = $3; next}}
$2 in kept {{if ($3 == kept[$2]) there[$2]; else wrong = 1}}
END {{for (name in kept) if (!(name in there)) wrong = 1; exit wrong}}' {folder}/installed <({PACKAGES})"""


def put_back(folder: str, tool: Tool) -> str:
    """A line that has the kept packages installed again, whatever has become of them.

    They are put over what is there directly, since what is broken there may be what cannot be completed. How the tool
    ends says little: it also ends with an error where a package that is none of BlueMind's cannot be configured.
    """
    as_they_were = f"{{ {as_kept(folder)}; }}"
    return f"""cd {folder} || exit 1
{as_they_were} || {tool.put_over}
{as_they_were} || {{
{tool.recover}
{tool.put_back}; }}
{as_they_were}"""


LATEST = f"""echo latest "(installed: $({{ {INSTALLED}; }} | awk '$1 == "installed" {{print $3}}' | sort -u | xargs))\""""
"""A line that prints what may be asked for as a version, and what is installed."""
