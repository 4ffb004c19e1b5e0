"""Errors that BlueMind's services have logged since a moment."""

from __future__ import annotations

from bmnb.steps import Result, Verdict

LOGS = ("/var/log/bm/core.log", "/var/log/bm-webserver/webserver.log", "/var/log/bm-webserver/setup.log")
"""The document's bm-core and bm-tomcat, which is bm-webserver by now, and the wizard's own."""


def remember(folder: str) -> str:
    """Write down how far each log has come; a log that is rotated meanwhile has another inode."""
    return f"mkdir -p {folder} && for log in {' '.join(LOGS)}; do [ ! -f $log ] || stat -c '%n %i %s' $log; done > {folder}/logs"


def errors(folder: str) -> str:
    """A line that prints the lines of level ERROR since then."""
    return f"""for log in {" ".join(LOGS)}; do
  [ -f $log ] || continue
  from=$(awk -v file=$log -v inode=$(stat -c %i $log) '$1 == file && $2 == inode {{print $3}}' {folder}/logs)
  tail -c +$((${{from:-0}} + 1)) $log | grep -E ' ERROR - ' | sed "s#^#$(basename $log): #"
done; echo end"""


def seen(told: Result) -> Verdict:
    """Always holds: some errors are normal while services come up, and an update that failed shows otherwise."""
    lines = told.stdout.splitlines()[:-1]
    items = tuple({"log": log, "line": line} for log, _, line in (line.partition(": ") for line in lines))
    return Verdict(told.stdout.endswith("end\n"), f"{len(lines)} lines of level ERROR", items)
