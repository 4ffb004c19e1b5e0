"""Command lines that run on a server in a systemd unit of their own.

They outlive the connection that started them. A folder a unit holds `command`, `out`, `err`, and, once
the command has ended, `end`: its exit status and the seconds it took. Understood from systemd 229 on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from bmnb.errors import InputError
from bmnb.steps import Result

# `end` is written under another name first: it is there whole or not at all.
WRAPPER = r"""cd "$1" || exit 1
began=$(date +%s.%N)
LC_ALL=C.UTF-8 HOME=/root bash -o pipefail command > out 2> err < /dev/null
status=$?
echo "$status $(echo "$began $(date +%s.%N)" | awk '{printf "%.3f", $2 - $1}')" > end.new
sync end.new 2> /dev/null || sync
mv end.new end
"""


class UnitState(Enum):
    """absent: never started; running; ended: its exit status is known; lost: killed, or the server restarted."""

    ABSENT = "absent"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"


def folder(work: str, unit: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", unit):
        raise InputError(f"{unit!r} cannot be the name of a unit")
    return f"{work}/units/{unit}"


def start(work: str, unit: str) -> str:
    """A line that starts the command that comes in as input. mkdir lets only one start through."""
    place = folder(work, unit)
    return f"""umask 077; mkdir -p {work}/units && mkdir {place} || exit 1
cat > {place}/command
cat > {place}/wrapper <<'BMNB-WRAPPER'
{WRAPPER}BMNB-WRAPPER
systemd-run --quiet --unit={_name(unit)} bash {place}/wrapper {place}"""


def state(work: str, unit: str) -> str:
    """A line that prints the state in one word."""
    place = folder(work, unit)
    return f"""if [ -f {place}/end ]; then echo ended
elif [ ! -d {place} ]; then echo absent
elif systemctl is-active --quiet {_name(unit)}; then echo running
elif [ -f {place}/end ]; then echo ended
else echo lost; fi"""


@dataclass(frozen=True)
class Look:
    """A unit as it was seen: the end of its output, seconds since the last of it, seconds since the start.

    `result` is how it has ended.
    """

    state: UnitState
    text: str = ""
    silent: float = 0.0
    elapsed: float = 0.0
    result: Result | None = None


NAPS = "0.01 0.02 0.03 0.04" + 19 * " 0.1"
"""Seconds between two looks for the end, two in all: most commands end at once."""


def look(work: str, unit: str, keep: int) -> str:
    """A line that waits up to two seconds for the end, then prints what `seen` reads.

    That is all there is to know, since each question to a server costs several ways over the line; of an
    output the last `keep` bytes.
    """
    place = folder(work, unit)
    return f"""for nap in {NAPS}; do [ ! -f {place}/end ] || break; sleep $nap; done
state=$({state(work, unit)})
echo $state
if [ $state = ended ]; then cat {place}/end; tail -c {keep} {place}/err >&2; tail -c {keep} {place}/out
elif [ -f {place}/err ]; then
  now=$(date +%s); last=$(stat -c %Y {place}/out {place}/err | sort -n | tail -n 1)
  echo "$((now - last)) $((now - $(stat -c %Y {place}/command)))"
  tail -c 1000 {place}/err; tail -c 4000 {place}/out
fi"""


def seen(unit: str, looked: Result) -> Look:
    """What `look` printed."""
    word, _, rest = looked.stdout.partition("\n")
    figures, _, text = rest.partition("\n")
    if word == UnitState.ENDED.value:
        status, seconds = figures.split()
        result = Result(looked.host, unit, int(status), text, looked.stderr, float(seconds))
        return Look(UnitState.ENDED, looked.stderr[-1000:] + text[-4000:], 0.0, float(seconds), result)
    silent, elapsed = figures.split() if figures else ("0", "0")
    return Look(UnitState(word), text, float(silent), float(elapsed))


def stop(work: str, unit: str) -> str:
    """A line that ends the whole unit with SIGTERM, and after 20 s with SIGKILL."""
    folder(work, unit)
    name = _name(unit)
    return f"""systemctl kill {name} 2> /dev/null
for tick in $(seq 100); do systemctl is-active --quiet {name} || break; sleep 0.2; done
systemctl is-active --quiet {name} && systemctl kill -s KILL {name}
systemctl reset-failed {name} 2> /dev/null; ! systemctl is-active --quiet {name}"""


def _name(unit: str) -> str:
    return f"bmnb-{unit}.service"
