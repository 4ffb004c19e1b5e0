"""What a package tool is to the procedures: command lines, the same ones for both families.

Lines that tell something print it in one form, so that one function judges it for both families.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tool:
    """The lines of a tool.

    `upgradable` prints NAME INSTALLED CANDIDATE a line (- where it is new), `size` the bytes to fetch,
    `fetched` those that are there, `held` and `broken` names, `releases` the running release and what the package sources name. `verify` reads
    the repository of BlueMind alone, into a folder that is thrown away. `left` are the names under which
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
    releases: str
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def wait(self) -> str:
        """Wait up to ten minutes while another package manager works, and say for which one."""
        return f"""for tick in $(seq 300); do
  held=$(lslocks -n -o COMMAND,PID,PATH | grep -E '{self.locks}') || exit 0
  echo "waits for" $held; sleep 2
done
echo "still at work after ten minutes:" $held >&2; exit 1"""


INSTALLED = (
    "dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\\n' 'bm-*' 2> /dev/null || "
    "rpm -qa --qf 'installed %{NAME} %{VERSION}\\n' 'bm-*'"
)
"""A line that prints STATUS NAME VERSION of each of BlueMind's packages, on either family."""

LATEST = f"""echo latest "(installed: $({{ {INSTALLED}; }} | awk '$1 == "installed" {{print $3}}' | sort -u | xargs))\""""
"""A line that prints what may be asked for as a version, and what is installed."""
