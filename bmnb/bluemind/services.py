"""BlueMind's services as `bmctl status` tells of them."""

import re

from bmnb.steps import Result, Verdict

# bmctl ends with 0 also when every service is stopped: the text counts.
LINE = re.compile(
    r"^(\S+?)(?:\.service)? (is running|is stopped|fail\b|is disabled|started while)", re.MULTILINE
)

# nginx goes on answering while BlueMind is stopped; bmctl lists it from 4.7 on.
NOT_STOPPED_BY_BMCTL = {"bm-nginx"}

STATUS = 'bmctl status; echo "postfix $(systemctl is-active postfix)"'
STATUS_AND_START = f'{STATUS}; echo "at a restart: $(systemctl is-enabled bluemind.target postfix)"'
"""Prints also whether they come back with a restart of the server, a line each."""


def states(text: str) -> dict[str, str]:
    """Given the output of `bmctl status`, return each service's state in bmctl's words."""
    return dict(LINE.findall(text))


def services_stopped(status: Result) -> Verdict:
    found = {name: state for name, state in states(status.stdout).items() if name not in NOT_STOPPED_BY_BMCTL}
    wrong = [name for name, state in found.items() if state not in ("is stopped", "is disabled")]
    wrong += ["postfix"] * (
        not re.search(r"^postfix (inactive|failed|unknown)$", status.stdout, re.MULTILINE)
    )
    if not found:
        return Verdict.unmade("bmctl status lists no service")
    return Verdict(
        not wrong, f"not stopped: {', '.join(wrong)}" if wrong else f"{len(found) + 1} services stopped"
    )


def services_stay_stopped(status: Result) -> Verdict:
    """Stopped, and a restart of the server does not bring them back."""
    stopped = services_stopped(status)
    _, _, states_at_restart = status.stdout.partition("at a restart: ")
    if stopped.holds and not states_at_restart.strip():
        return Verdict.unmade("systemctl does not tell whether they come back with a restart")
    if stopped.holds and {"enabled", "enabled-runtime"} & {*states_at_restart.split()}:
        return Verdict(False, "stopped, but a restart of the server starts them")
    return stopped


def services_running(status: Result) -> Verdict:
    found = states(status.stdout)
    wrong = [name for name, state in found.items() if state not in ("is running", "is disabled")]
    wrong += ["postfix"] * (not re.search(r"^postfix active$", status.stdout, re.MULTILINE))
    if not found:
        return Verdict.unmade("bmctl status lists no service")
    return Verdict(
        not wrong, f"not running: {', '.join(wrong)}" if wrong else f"{len(found) + 1} services running"
    )
