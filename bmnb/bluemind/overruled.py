"""What was edited in Postfix though BlueMind's console has it: the next Save there overrules it.

Source: the note on configuration files of BlueMind's page; the console's Save writes these settings on each
server of mail, and its maps are not to be taken out of main.cf.
"""

from __future__ import annotations

import json

from bmnb.bluemind.api import split_networks, without_mask
from bmnb.steps import Result, Row, Verdict

SETTINGS = ("mynetworks", "relayhost", "message_size_limit")
MAPS = ("master_relay_transport", "transport", "virtual_alias", "virtual_domains", "virtual_mailbox")

CONFIGURED = (
    """told=$(cd / && runuser -u postgres -- psql -XAtc "SELECT json_build_object('mynetworks', configuration -> 'mynetworks', """
    """'relayhost', configuration -> 'relayhost', 'message_size_limit', configuration -> 'message_size_limit') """
    """FROM t_systemconf" bj) || exit 2; echo "configured $told\""""
)
"""A line for the core alone; the rest of the configuration, which has passwords, stays there."""

POSTFIX = rf"""if [ -e /etc/postfix/transport-flat ]; then
  for name in {" ".join(SETTINGS)}; do echo "postfix $name $(postconf -xh $name)"; done
  used=$(postconf -n) || exit 2
  for map in {" ".join(MAPS)}; do
    [ ! -e /etc/postfix/$map-flat ] || grep -qE "/etc/postfix/$map(,|[[:space:]]|$)" <<< "$used" || echo "unused $map"
  done
fi"""
"""A line that prints Postfix's settings, and BlueMind's maps that main.cf does not refer to; nothing without them."""


def lines(servers: int) -> tuple[str, ...]:
    """A line for each server, the core first."""
    return (f"{CONFIGURED}\n{POSTFIX}", *(POSTFIX for _ in range(servers - 1)))


def differing(*found: Result) -> Verdict:
    """Each setting of each server against BlueMind's configuration, which the first one has told."""
    [told] = [line for line in found[0].stdout.splitlines() if line.startswith("configured ")]
    configured = json.loads(told.removeprefix("configured "))
    items = tuple(row for one in found for row in _of_server(one, configured))
    named = ", ".join(f"{row['setting']} on {row['server']}" for row in items)
    return Verdict(
        not items, f"edited on the server: {named}" if items else "as BlueMind's configuration says", items
    )


def _of_server(told: Result, configured: dict[str, str | None]) -> list[Row]:
    rows: list[Row] = []
    for line in told.stdout.splitlines():
        what, _, rest = line.partition(" ")
        name, _, here = rest.partition(" ")
        wanted = configured.get(name)
        if what == "unused":
            rows.append(_row(told, f"map {name}", "not in main.cf", "BlueMind's own"))
        elif what == "postfix" and name == "mynetworks":
            ours, theirs = _networks(here), _networks(wanted or "")
            if ours != theirs:
                rows.append(_row(told, name, _only(ours, theirs), _only(theirs, ours)))
        elif what == "postfix" and here.strip() != (wanted or "").strip() and (wanted or name == "relayhost"):
            rows.append(_row(told, name, here.strip() or "none", wanted or "none"))
    return rows


def _row(told: Result, setting: str, here: str, configured: str) -> Row:
    return {
        "server": told.host,
        "setting": setting,
        "in Postfix": here,
        "in BlueMind's configuration": configured,
    }


OWN = ("127.0.0.0/8", "[::1]/128", "[::ffff:127.0.0.0]/104")
"""Of every server; the console adds the first by itself."""


def _networks(text: str) -> set[str]:
    return {without_mask(one) for one in split_networks(text)} - set(OWN)


def _only(ours: set[str], theirs: set[str]) -> str:
    return ", ".join(sorted(ours - theirs)) or "nothing more"
