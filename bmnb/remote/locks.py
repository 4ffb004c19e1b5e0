"""Command lines for the lock that lies on a server while a run works on it.

The file `lock` has a line each for the run, the session that holds it, the run's title, and since when;
its time of change is the session's last sign of life. A run's own folder on the server has a file `run` with
the run's name.
"""

from __future__ import annotations

from shlex import quote

SILENT_SECONDS = 30
"""After so long without a sign of life, another session of the same run may go on."""


NOBODY = "nobody now"
"""The session of a lock that was left, to be taken up by any session of the same run."""


NOT_OURS = 4
"""How `take` ends where the run's folder is another run's by now."""

GONE = 5
"""How `take` ends where the server has no trace of what the run has done there."""


OURS = """own=$(pwd -P) places=(/)
for place in "$own" "${PWD%/*}"; do
  while [ -n "$place" ]; do places+=("$place"); place=${place%/*}; done
done
found=$(stat -c '%u %a %n' "${places[@]}") || exit 1
while read -r owner mode place; do
  case $owner in 0 | $UID) ;; *) mode=777 ;; esac
  [ $((0$mode & 022)) = 0 ] || { [ $((0$mode & 01000)) != 0 ] && [ "$place" != "$own" ]; } ||
    { echo "others than root can put things in place of what lies in $own: see to owner and mode of $place" >&2; exit 1; }
done <<< "$found"
chmod go-rwx . || exit 1"""
"""Where the folder is, and where a link leads to it, nobody else can lay links or put another in its place."""


def take(
    work: str,
    run: str,
    session: str,
    title: str,
    gone: str,
    folder: str = "",
    new: bool = False,
    trace: str = "",
) -> str:
    """A line that takes the lock where it is free, or held by the same run in a session that is over.

    A session is over when it has left, is `gone`, or silent for long; where the server's clock was put back its last
    sign of life lies in the future, until the next one. The line prints which run has started
    something there last, with number and sum of its journal's line, then the lock as it was, with
    the seconds since the last sign of life; it ends with 3 where the lock is another's, with 4 where the run's
    `folder` is, with 5 where the unit `trace`, which has ended there, is not. The folder that a `new` run finds is
    kept under another name.
    """
    return f"""{_guarded(work)}
cat head 2> /dev/null || echo
age=0; [ ! -f lock ] || age=$(($(date +%s) - $(stat -c %Y lock)))
[ ! -f lock ] || {{ cat lock; echo $age; }}
holder=$(sed -n 2p lock 2> /dev/null)
[ ! -f lock ] || {{ [ "$(sed -n 1p lock)" = {quote(run)} ] && {{ [ "$holder" = {quote(session)} ] ||
  [ "$holder" = {quote(gone)} ] || [ "$holder" = {quote(NOBODY)} ] || [ ${{age#-}} -gt {SILENT_SECONDS} ]; }}; }} || exit 3
{f"[ -d units/{quote(trace)} ] || exit {GONE}" if trace else ""}
[ "$holder" = {quote(session)} ] && touch lock && exit 0
{_own(folder, run, new) if folder else ""}
printf '%s\\n' {quote(run)} {quote(session)} {quote(title)} "$(date -u +%FT%TZ)" > lock.new && mv lock.new lock"""


def _own(folder: str, run: str, new: bool) -> str:
    if not new:  # that of an earlier release names no run
        return f"""owner=$(grep . {folder}/run 2> /dev/null || echo {quote(run)})
[ "$owner" = {quote(run)} ] || exit {NOT_OURS}"""
    return f"""if [ "$(cat {folder}/run 2> /dev/null)" != {quote(run)} ]; then
  aside={folder}-until-$(date +%Y%m%dT%H%M%S)
  [ ! -d {folder} ] || {{ mv {folder} $aside && echo $aside >&2; }} || exit 1
  mkdir {folder} && echo {quote(run)} > {folder}/run.new && mv {folder}/run.new {folder}/run || exit 1
fi"""


def beat(work: str, session: str) -> str:
    return f"{_guarded(work)}\n{_held(session)} && touch lock"


def leave(work: str, session: str) -> str:
    return f"{_guarded(work)}\n{_held(session)} && sed -i {quote(f'2s/.*/{NOBODY}/')} lock"


def release(work: str, session: str, run: str) -> str:
    """A line that gives the lock back, and removes what the run's commands have left: all of them have ended.

    `head` stays, by which a copy of the run that knows nothing of its end is told so, and so does `lock.guard`:
    somebody may be waiting for it.
    """
    return f"""{_guarded(work)}
{_held(session)} && rm -rf units/{run}* feeds/{run}* || exit 1
for place in units feeds; do [ ! -d $place ] || rmdir --ignore-fail-on-non-empty $place; done
rm lock"""


def unlock(work: str) -> str:
    return f"{_guarded(work)}\ncat lock 2> /dev/null; rm -f lock"


def _guarded(work: str) -> str:
    """Only one of these lines at a time."""
    return f"""umask 077; {{ [ -d {work} ] || mkdir -p {work}; }} && cd {work} || exit 1
{OURS}
exec 9> lock.guard && flock -w 10 9 || exit 1"""


def _held(session: str) -> str:
    return f'[ "$(sed -n 2p lock 2> /dev/null)" = {quote(session)} ]'
