"""Command lines that run on a server in a systemd unit of their own.

They outlive the connection that started them. A folder a unit holds `command`, `out`, `err`, and, once
the command has ended, `end`: its exit status and the seconds it took. An `end` that says less, as where the disk was
full, says nothing. Understood from systemd 229 on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from shlex import quote

from bmnb.errors import InputError
from bmnb.steps import Result

# `end` is written under another name first: it is there whole or not at all. Its room is taken before the command can
# fill the disk. While the command runs, and no longer, `lock` is locked. Few processes are started, since many units run at once in a downtime.
WRAPPER = r"""cd "$1" || exit 1
LC_ALL=C TIMEFORMAT=%3R
printf '%64s\n' > end.new || exit 1
exec 9< lock && flock 9
took=$({ time LC_ALL=C.UTF-8 HOME=/root bash -o pipefail command > out 2> err < /dev/null 9<&-; } 2>&1)
echo "$? ${took##*$'\n'}" 1<> end.new || exit 1
sync end.new 2> /dev/null || sync
mv end.new end
"""


BEFORE = "TMPDIR=/run; "
"""Bash keeps an input that a line has for a program in memory there: /tmp may be full, and is on a disk."""


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


def start(work: str, unit: str, head: str = "") -> str:
    """A line that starts the command that comes in as input. mkdir lets only one start through.

    Nothing of systemd's own environment gets into it, which an administrator may have set: a proxy, BASH_ENV ...
    """
    place = folder(work, unit)
    return f"""umask 077; {{ [ -d {work}/units ] || mkdir -p {work}/units; }} && mkdir {place} || {{ df -h {work} >&2; exit 1; }}
{{ {{ printf %s {quote(BEFORE)}; cat; }} > {place}/command && : > {place}/lock && printf %s {quote(WRAPPER)} > {place}/wrapper &&
  echo {quote(head)} > {place}/head && mv {place}/head {work}/head; }} || {{ rm -rf {place}; df -h {work} >&2; exit 1; }}
systemd-run --quiet --unit={_name(unit)} env -i PATH="$PATH" bash {place}/wrapper {place}"""


def state(work: str, unit: str) -> str:
    """A line that prints the state in one word."""
    return f"{_state(work, unit)}; echo $state"


def _state(work: str, unit: str) -> str:
    place = folder(work, unit)
    return f"""told() {{ status=; read -r status took < {place}/end && [[ "$status $took" =~ ^[0-9]+\\ +[0-9.]+$ ]]; }} 2> /dev/null
if told; then state=ended
elif systemctl is-active --quiet {_name(unit)}; then state=running
elif told; then state=ended
elif [ ! -d {place} ]; then state=absent
else state=lost; fi"""


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


LOOK_SECONDS = 2

_FULL = 'df -P -k . | awk \'END {if ($4 < 1024) print "no room is left on", $6 ": make some there, then do it again"}\''
"""Prints that the disk is full under the unit's folder, where it is: then what it has said is not to be had either."""


def look(work: str, unit: str, keep: int) -> str:
    """A line that waits up to two seconds for the end, then prints what `seen` reads.

    That is all there is to know, since each question to a server costs several ways over the line; of an
    output the last `keep` bytes.
    """
    # nobody has the lock before the wrapper takes it, and where it was killed
    return f"""if ! cd {folder(work, unit)} 2> /dev/null; then sleep 1
elif [ ! -f end ]; then {{ flock -s -w {LOOK_SECONDS} 9; [ -f end ] || sleep 0.02; }} 9< lock; fi
{_state(work, unit)}
echo $state
if [ $state = ended ]; then
  echo "$status $took"
  [ "$status" = 0 ] || {_FULL} >&2
  [ ! -s err ] || tail -c {keep} err >&2
  [ ! -s out ] || tail -c {keep} out
elif [ $state = lost ]; then
  echo 0 0; {_FULL}
elif [ -f err ]; then
  printf -v now '%(%s)T' -1; set -- $(stat -c %Y out err command)
  echo "$((now - ($1 > $2 ? $1 : $2))) $((now - $3))"
  tail -c 1000 err; tail -c 4000 out
fi"""


def seen(unit: str, looked: Result) -> Look:
    """What `look` printed."""
    word, _, rest = looked.stdout.partition("\n")
    figures, _, text = rest.partition("\n")
    if word == UnitState.ENDED.value:
        status, seconds = figures.split()
        result = Result(looked.host, unit, int(status), text, looked.stderr, float(seconds))
        return Look(UnitState.ENDED, looked.stderr[-1000:] + text[-4000:], 0.0, float(seconds), result)
    if word == UnitState.LOST.value and text:
        return Look(UnitState.LOST, result=Result(looked.host, unit, None, stderr=text))
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
