"""The subscription as BlueMind's API tells of it, and as the servers' repository files do."""

from __future__ import annotations

import time
from shlex import quote
from typing import Any

from bmnb.steps import Result, Verdict

DAY_MILLISECONDS = 86_400_000
REMEDY = (
    "install the subscription for this distribution (Subscription management), or renew it: "
    "without it the repositories do not open"
)


def valid(told: Any) -> Verdict:
    """Present, for this distribution, not expired, accounts within bounds; `ends` is in milliseconds."""
    if told.get("kind") in (None, "NONE"):
        return Verdict(False, "no subscription is installed")
    days = int(told["ends"] / DAY_MILLISECONDS - time.time() / 86_400)
    errors = [one["message"] for one in told.get("messages") or [] if one["kind"] == "Error"]
    over = [
        f"{one['kind']}: {one['currentValue']} of {one['maxValue']}"
        for one in told.get("indicator") or []
        if one["maxValue"] is not None and one["currentValue"] > one["maxValue"]
    ]
    if errors or over or not told.get("valid"):
        return Verdict(False, "; ".join(errors + over) or f"not valid, {days} days left")
    accounts = [f"{one['currentValue']} of {one['maxValue']}" for one in told.get("indicator") or []]
    soon = ", to be renewed" if days < 30 else ""
    return Verdict(
        True, f"{told['kind']}, {days} days left{soon}" + "".join(f", accounts {one}" for one in accounts)
    )


def show(path: str) -> str:
    """A line that prints the repository's address with its middle, a key of the client's own, left out."""
    masked = r"s#^(deb .*|baseurl *= *[a-z]+)://([^/@]*@)?([^/ ]+)/(.*/)?([^/ ]+)/?( .*)?$#\1://\3/…/\5#"
    return f"grep -hE '^(deb|baseurl)' {quote(path)} | sed -E {quote(masked)} | sed -E 's/^(deb (\\[.*\\] )?|baseurl *= *)//'"


def registered(*servers: Result) -> Verdict:
    """Every server has a repository that is not the local one of an installation without subscription."""
    wrong = [
        f"{one.host}: {one.stdout.strip() or 'no repository of BlueMind'}"
        for one in servers
        if not one.stdout.strip() or one.stdout.strip().startswith("file:")
    ]
    told = ", ".join(dict.fromkeys(one.stdout.strip() for one in servers))
    return Verdict(not wrong, "; ".join(wrong) or told)


def read_repository(told: Result) -> dict[str, str]:
    return {"repository": told.stdout.strip()}
