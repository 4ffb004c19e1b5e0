"""Whether the client's names lead to a server, by what DNS tells the servers."""

from __future__ import annotations

import json
from typing import Any

from bmnb.steps import Result, Row, Verdict
from bmnb.transfer.asking import resolving
from bmnb.transfer.placing import inline

URL = "external-url"
ASK = inline(resolving)
"""A line that prints where the names of a server's configuration lead."""

Told = dict[str, Any]


def lead_there(address: str, told: Result) -> Verdict:
    """The external-url leads to the server, and nowhere else; where the others lead is told."""
    own, names = _read(told)
    ours = {address, *own}
    astray = _astray(names, ours)
    return Verdict(
        not astray, "; ".join(astray) or _times(names), tuple(_row(told.host, one) for one in names)
    )


def have_moved(old: str, new: str, *told: Result) -> Verdict:
    """On every server that is asked no name leads to the old address any more, and the external-url to the new one.

    The new server is the first that is asked: by it one knows which addresses of IPv6 are its own.
    """
    own = _read(told[0])[0]
    wrong: dict[str, None] = {}
    items = []
    for one in told:
        names = _read(one)[1]
        left = [name for name in names if old in name["addresses"]]
        wrong |= dict.fromkeys(f"{name['name']} leads to {old} ({one.host})" for name in left)
        wrong |= dict.fromkeys(_astray([name for name in names if name not in left], {new, *own}))
        items += [_row(one.host, name) for name in names]
    return Verdict(not wrong, "; ".join(wrong) or f"they lead to {new}", tuple(items))


def _astray(names: list[Told], ours: set[str]) -> list[str]:
    urls = [one for one in names if URL in one["why"].split(", ")]
    if not urls:
        return ["no external-url is known"]
    return [
        f"{one['name']} leads to {', '.join(one['addresses']) or 'nothing'}"
        for one in urls
        if not one["addresses"] or set(one["addresses"]) - ours
    ]


def _times(names: list[Told]) -> str:
    times = [one["seconds"] for one in names if one["seconds"] is not None]
    ran_down = any(one["cache"] for one in names)
    return f"time to live up to {max(times)} s" + (", by what caches tell" if ran_down else "")


def _row(server: str, name: Told) -> Row:
    """A cache's time to live runs down: with it no two looks would be alike, and none could be accepted."""
    return {
        "server": server,
        "item": name["name"],
        "what": name["why"],
        "leads to": ", ".join(name["addresses"]) or "nothing",
        "time to live": None if name["cache"] else name["seconds"],
    }


def _read(told: Result) -> tuple[list[str], list[Told]]:
    first, *names = (json.loads(line) for line in told.stdout.splitlines())
    return first["own"], names
