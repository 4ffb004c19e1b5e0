"""What runs on the origin beside BlueMind, and works on what is carried or is asked by it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from shlex import quote

from bmnb.bluemind import proofs
from bmnb.steps import Result, Verdict
from bmnb.transfer.asking import asked, named
from bmnb.transfer.placing import inline

NGINX = ("/etc/nginx/bm-local.d/*", *named.BESIDE["nginx"])

JOBS = (
    "/etc/crontab /etc/anacrontab /etc/cron.d/* /etc/cron.*ly/* /var/spool/cron/* /var/spool/cron/crontabs/* "
    "/etc/systemd/system/*.service"
)
SCRIPTS = "/(usr/local|opt|root|home|srv|etc)/[A-Za-z0-9_./-]+"


def jobs(trees: Sequence[str]) -> str:
    """A line that prints the files of jobs that name one of the trees, or the folder above it, and are no package's or BlueMind's.

    Also the scripts that such files name; what stands in them is not shown, for it may hold a password. Of grep's exit
    status nothing can be said: it is 1 where no file names a tree, and 2 where one names a script that is not there.
    """
    return f"""shopt -s nullglob; jobs=({JOBS}); names=()
for tree in {" ".join(map(quote, trees))}; do
  for place in "$tree" "$(readlink -m "$tree")"; do names+=("${{place//./[.]}}" "${{place%/*}}/?([^/A-Za-z0-9_]|$)"); done
done
pattern=$(IFS='|'; echo "${{names[*]}}")
mapfile -t scripts < <(grep -hsoE '{SCRIPTS}' -- "${{jobs[@]}}" | sort -u)
grep -lsE -d skip "^[^#]*($pattern)" -- "${{jobs[@]}}" "${{scripts[@]}}" | sort -u | while IFS= read -r file; do
  case ${{file##*/}} in bm-* | bluemind*) continue ;; esac
  {{ dpkg -S -- "$file" || rpm -qf -- "$file"; }} > /dev/null 2>&1 || echo "$file"
done; true"""


def programs(trees: Sequence[str]) -> str:
    """A line that prints the programs with an open file of the trees whose services are not those that are stopped."""
    return f"""{{ {proofs.open_files(trees)}
}} | while read -r _ pid command; do
  unit=$(grep -oE '[^/]+[.](service|scope)' "/proc/$pid/cgroup" 2> /dev/null | tail -n 1)
  case $unit in bm* | bluemind* | postfix* | cyrus*) ;; *) echo "${{unit:-process}} $pid $command" ;; esac
done"""


def none(told: Result) -> Verdict:
    """Nothing was found; each line is one thing that was."""
    lines = told.stdout.splitlines()
    return Verdict(
        told.ok and not lines, "; ".join(lines[:5]) or "none", tuple({"item": line} for line in lines)
    )


def services() -> str:
    return inline(asked, *NGINX)


def all_listen(origin: Result, target: Result) -> Verdict:
    """What is asked and doesn't listen on the origin either is left as it is."""
    theirs, ours = (json.loads(one.stdout) for one in (origin, target))
    wrong = tuple(
        {"item": name, "named in": where}
        for name, where in theirs["asked"].items()
        if name in theirs["listens"] and name not in ours["listens"]
    )
    seen = "; ".join(f"{one['item']}, named in {one['named in']}" for one in wrong[:5])
    return Verdict(not wrong, seen or f"{len(theirs['asked'])} are asked", wrong)
