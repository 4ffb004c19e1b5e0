"""A copy fit for a public ticket: names of servers, clients, persons, and addresses are replaced."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

from bmnb.report.facts import Facts
from bmnb.steps import slug

ADDRESS = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b", re.IGNORECASE)
MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
HOST_KEY = re.compile(r"SHA256:[A-Za-z0-9+/]{20,}")
# versions look like addresses, so those of the loopback and of no one stay
KEPT = ("127.0.0.1", "0.0.0.0")


def names(facts: Facts) -> dict[str, str]:
    """What a run's own names are replaced by: the roles of servers, and words for the rest."""
    found: dict[str, str] = {}
    roles = {role: facts.settings.get(role, "") for role in ("origin", "target", "core")}
    roles |= {f"server-{number}": name for number, name in enumerate(facts.settings.get("servers", []), 1)}
    for role, name in roles.items():
        found[name] = role
        if "." in name:
            found[name.split(".", 1)[1]] = "example.org"
    for line in facts.journal.events("pinned"):
        found[line["machine"]] = f"machine-of-{found.get(line['server'], 'a-server')}"
        if line.get("hostname"):
            found[line["hostname"]] = found.get(line["server"], "server")
    for number, who in enumerate(dict.fromkeys(line["who"] for line in facts.journal.lines), 1):
        found[who] = f"operator-{number}"
        found[who.split("@")[1]] = "controller"
    found[facts.settings["client"]] = found[slug(facts.settings["client"])] = "client"
    found[facts.name] = "run"
    found[str(facts.folder.resolve())] = "run"
    for path in ("runs", "ssh_config"):
        if value := facts.settings.get(path):
            found[value] = path
    for line in facts.journal.lines:
        if line.get("title") == "same external-url" and line.get("seen"):
            found[line["seen"]] = "mail.example.org"
            found[line["seen"].split(".", 1)[-1]] = "example.org"
    return {
        form: role for name, role in found.items() if name and name != role for form in (name, escape(name))
    }


def hider(facts: Facts) -> Callable[[str], str]:
    """A function that replaces the run's names in a text; the same name becomes the same word everywhere."""
    known = names(facts)
    longest_first = sorted(known, key=len, reverse=True)
    own = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)") if known else None
    addresses: dict[str, str] = {}

    def address(found: re.Match[str]) -> str:
        if found[0] in KEPT:
            return found[0]
        return addresses.setdefault(found[0], f"ADDRESS-{len(addresses) + 1}")

    def hide(text: str) -> str:
        text = own.sub(lambda found: known[found[0]], text) if own else text
        text = MAIL.sub("PERSON@example.org", text)
        return ADDRESS.sub(address, HOST_KEY.sub("SHA256:HOST-KEY", text))

    return hide
