"""The subscription as BlueMind's API, bm-cli or the repository's file tells of it, whichever is there."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from datetime import datetime, timedelta
from shlex import quote
from typing import Any

from bmnb.bluemind import api
from bmnb.bluemind.paths import TOKEN
from bmnb.packages.judge import CODENAMES
from bmnb.steps import Result, Row, Verdict

REMEDY = (
    "install the subscription for this distribution (Subscription management), or renew it: "
    "without it the repositories do not open"
)


def ask(repository: str) -> str:
    """A line that prints who tells it, api, bm-cli or file, and what that says; the token is no argument.

    Of the file, which opens the repositories, only dates and names of distributions are printed.
    """
    url = f"http://127.0.0.1:8090{api.SUBSCRIPTION}"
    return f"""if told=$(printf 'header = "X-BM-ApiKey: %s"\\n' "$(cat {TOKEN})" | curl -q -fs --noproxy '*' --max-time 20 -K - {url}); then
  echo "api $told"
elif told=$(bm-cli setup check-subscription 2> /dev/null) && [ -n "$told" ]; then echo "bm-cli $told"
elif [ -s {repository} ]; then
  . /etc/os-release; echo "file ${{VERSION_CODENAME:-rhel${{VERSION_ID%%.*}}}}"
  grep '^#' {repository} | grep -oE '{DATES}|{"|".join(CODENAMES)}|rhel[0-9]+'
fi 2> /dev/null"""


DATES = "[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}/[0-9]{2}/[0-9]{4}|[0-9]{13}"
"""As in 2026-12-31, 31/12/2026, and milliseconds since 1970: how the file writes them is not published."""


def valid(told: Result) -> Verdict:
    """Present, for this distribution, not expired."""
    who, _, said = told.stdout.strip().partition(" ")
    if who == "api":
        return by_api(json.loads(said))
    if who == "bm-cli":
        return by_bm_cli(replace(told, stdout=said))
    return by_file(said) if who == "file" else Verdict(False, "no subscription is installed")


def by_api(told: Any) -> Verdict:
    """Also accounts within bounds; `ends` is in milliseconds."""
    if told.get("kind") in (None, "NONE"):
        return Verdict(False, "no subscription is installed")
    days = days_until(told["ends"] / 1000)
    errors = [one["message"] for one in told.get("messages") or [] if one["kind"] == "Error"]
    over = [
        f"{one['kind']}: {one['currentValue']} of {one['maxValue']}"
        for one in told.get("indicator") or []
        if one["maxValue"] is not None and one["currentValue"] > one["maxValue"]
    ]
    if errors or over or not told.get("valid"):
        return Verdict(False, "; ".join(errors + over) or f"not valid, {days} days left")
    accounts = [
        f", accounts {one['currentValue']} of {one['maxValue']}" for one in told.get("indicator") or []
    ]
    return Verdict(True, f"{told['kind']}, {left(days)}{''.join(accounts)}", row=ends_on(told["ends"] / 1000))


def by_bm_cli(told: Result) -> Verdict:
    """`check-subscription` prints OK;DAYS or ERROR;REASON, also with exit status 0."""
    state, _, days = told.stdout.strip().partition(";")
    if state not in ("OK", "ERROR"):
        return Verdict.unmade(told.stderr.strip() or told.stdout.strip() or f"exit status {told.exit}")
    good = state == "OK" and days.isdigit()
    if not good:
        return Verdict(False, told.stdout.strip() or told.stderr.strip())
    return Verdict(True, left(int(days)), row=ends_on(time.time() + int(days) * 86_400))


def by_file(said: str) -> Verdict:
    """Given the running distribution, then dates and distributions of the file's head; its last date is the end."""
    running, *words = said.split()
    named = {word for word in words if word.isalnum() and not word.isdigit()}
    if named and running not in named:
        return Verdict(False, f"the repository's file is for {', '.join(sorted(named))}, {running} runs")
    ends = max((_seconds(word) for word in words if word not in named), default=None)
    if ends is None:
        return Verdict(True, "in the repository's file, which tells no end")
    days = days_until(ends)
    if days < 0:
        return Verdict(False, f"expired {-days} days ago")
    return Verdict(True, f"by the repository's file {left(days)}", row=ends_on(ends - 1))


def _seconds(word: str) -> float:
    """Since 1970; a day ends with its last second."""
    if word.isdigit():
        return int(word) / 1000
    day = datetime.strptime(word, "%d/%m/%Y") if "/" in word else datetime.fromisoformat(word)
    return (day + timedelta(days=1)).timestamp()


def days_until(seconds: float) -> int:
    return math.floor((seconds - time.time()) / 86_400)


ENDS = "subscription ends"
"""The column of the report's tables."""


def ends_on(seconds: float) -> Row:
    return {ENDS: f"{datetime.fromtimestamp(seconds):%Y-%m-%d}"}


WARNING_DAYS = 30
"""From which on BlueMind's own check of it (bm-checks) warns as well."""


def left(days: int) -> str:
    return f"{days} days left" + (", to be renewed" if days < WARNING_DAYS else "")


def show(path: str) -> str:
    """A line that prints the repository's address with its middle, a key of the client's own, left out."""
    masked = r"s#^(deb .*|baseurl *= *[a-z]+)://([^/@]*@)?([^/ ]+)/(.*/)?([^/ ]+)/?( .*)?$#\1://\3/…/\5#"
    return f"grep -hE '^(deb|baseurl)' {quote(path)} | sed -E {quote(masked)} | sed -E 's/^(deb (\\[.*\\] )?|baseurl *= *)//'"


def show_or_find(path: str) -> str:
    """The same, or the file beside it that has the repository in apt's other form, which BlueMind neither reads nor writes."""
    other = quote(path.removesuffix(".list") + ".sources")
    return f"if [ -s {quote(path)} ]; then {show(path)}; elif [ -s {other} ]; then echo found {other}; fi"


def registered(*servers: Result) -> Verdict:
    """Every server has a repository that is not the local one of an installation without subscription."""
    wrong = [
        f"{one.host}: {one.stdout.strip().removeprefix('found ') or 'no repository of BlueMind'}"
        for one in servers
        if not one.stdout.strip() or one.stdout.strip().startswith(("file:", "found "))
    ]
    told = ", ".join(dict.fromkeys(one.stdout.strip() for one in servers))
    return Verdict(not wrong, "; ".join(wrong) or told)


def read_repository(told: Result) -> dict[str, str]:
    return {"repository": told.stdout.strip()}
