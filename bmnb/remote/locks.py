"""Command lines for the lock that lies on a server while a run works on it.

The file `lock` has a line each for the run, the session that holds it, the run's title, and since when;
its time of change is the session's last sign of life.
"""

from __future__ import annotations

from shlex import quote

SILENT_SECONDS = 30
"""After so long without a sign of life, another session of the same run may go on."""


NOBODY = "nobody now"
"""The session of a lock that was left, to be taken up by any session of the same run."""


def take(work: str, run: str, session: str, title: str, gone: str) -> str:
    """A line that takes the lock where it is free, or held by the same run in a session that is over.

    A session is over when it has left, is `gone`, or silent for long. The line prints the lock as it was, with
    the seconds since the last sign of life; it ends with 3 where the lock is another's.
    """
    return f"""{_guarded(work)}
age=0; [ ! -f lock ] || age=$(($(date +%s) - $(stat -c %Y lock)))
[ ! -f lock ] || {{ cat lock; echo $age; }}
holder=$(sed -n 2p lock 2> /dev/null)
[ ! -f lock ] || {{ [ "$(sed -n 1p lock)" = {quote(run)} ] && {{ [ "$holder" = {quote(session)} ] ||
  [ "$holder" = {quote(gone)} ] || [ "$holder" = {quote(NOBODY)} ] || [ $age -gt {SILENT_SECONDS} ]; }}; }} || exit 3
[ "$holder" = {quote(session)} ] && touch lock && exit 0
printf '%s\\n' {quote(run)} {quote(session)} {quote(title)} "$(date -u +%FT%TZ)" > lock.new && mv lock.new lock"""


def beat(work: str, session: str) -> str:
    return f"{_guarded(work)}\n{_held(session)} && touch lock"


def leave(work: str, session: str) -> str:
    return f"{_guarded(work)}\n{_held(session)} && sed -i {quote(f'2s/.*/{NOBODY}/')} lock"


def release(work: str, session: str) -> str:
    return f"{_guarded(work)}\n{_held(session)} && rm lock"


def unlock(work: str) -> str:
    return f"{_guarded(work)}\ncat lock 2> /dev/null; rm -f lock"


def _guarded(work: str) -> str:
    """Only one of these lines at a time."""
    return f"umask 077; mkdir -p {work} && cd {work} && exec 9> lock.guard && flock -w 10 9 || exit 1"


def _held(session: str) -> str:
    return f'[ "$(sed -n 2p lock 2> /dev/null)" = {quote(session)} ]'
