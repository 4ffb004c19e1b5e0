"""How much a server writes while users work: what every later pass has to bring."""

from __future__ import annotations

from bmnb.steps import Result, Row

# pgpgout: KiB given to block devices since the start, of all programs (proc(5)); before PostgreSQL 10 the log had another name
_COUNTERS = """counters() {
  read -r up _ < /proc/uptime
  log=$(cd / && runuser -u postgres -- psql -XAtc "SELECT pg_current_wal_lsn() - '0/0'" 2> /dev/null) || log=
  echo "$up $(sed -n 's/^pgpgout //p' /proc/vmstat) ${log:--}"
}"""
SHORTEST_SECONDS = 2


def remember(folder: str) -> str:
    """A line that remembers what the server has written so far."""
    return f"{_COUNTERS}\numask 077; mkdir -p {folder}; counters > {_file(folder)}"


def measure(folder: str) -> str:
    """A line that prints the seconds since then, KiB written to disks and bytes of PostgreSQL's log, and remembers anew."""
    return f"""{_COUNTERS}
umask 077; mkdir -p {folder}; [ -s {_file(folder)} ] || {{ counters > {_file(folder)}; sleep {SHORTEST_SECONDS}; }}
now=$(counters); read -r up disks log < {_file(folder)}
echo "$now" | awk -v up="$up" -v disks="$disks" -v log_="$log" '{{
  print $1 - up, $2 - disks, ($3 == "-" || log_ == "-") ? "-" : $3 - log_ }}'
echo "$now" > {_file(folder)}"""


def read(told: Result) -> Row:
    """In MB a second; a server that was restarted meanwhile tells nothing."""
    seconds, disks, log = told.stdout.split()
    if float(seconds) <= 0 or float(disks) < 0:
        return {"origin writes": "not known: it was restarted"}
    rate = f"{_rate(float(disks) * 1024, seconds)} MB/s to its disks"
    return {
        "origin writes": rate
        if log == "-"
        else f"{rate}, {_rate(float(log), seconds)} MB/s of PostgreSQL's log"
    }


def _rate(count: float, seconds: str) -> str:
    return f"{count / float(seconds) / 1e6:.2f}"


def _file(folder: str) -> str:
    return f"{folder}/written-so-far"
