"""Postfix's routing tables, which the core makes from the database."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

from .directory import servers
from .here import log, sql
from .tasks import Say

POSTFIX = Path("/etc/postfix")
DELAY = 3.0
"""Seconds until the tables are written, after the task of Mail Maintenance has succeeded."""

UPDATE = """#!/bin/sh
# A stand-in of BlueMind's script, for rehearsal. It is not BlueMind.
set -e
cd /etc/postfix
for flat in *-flat; do
  postmap "hash:$flat"
  mv "$flat.db" "${flat%-flat}.db"
done
service postfix reload
"""


def repair(say: Say) -> None:
    """Mail Maintenance: it publishes that the tables are outdated and has succeeded; another does the work."""
    threading.Timer(DELAY, write).start()
    say("postfix.map.dirty published")


def tables(ip: str) -> dict[str, list[str]]:
    """The lines of each table, for a server with this address."""
    boxes = [
        row[0]
        for row in sql(
            "SELECT e.left_address || '@' || e.right_address FROM t_mailbox_email e JOIN t_mailbox m USING (item_id) "
            "WHERE m.kind <> 'group' AND m.routing = 'internal' AND e.is_default ORDER BY e.item_id, 1"
        )
    ]
    aliases = sql(
        "SELECT a.left_address || '@' || a.right_address, string_agg(DISTINCT to_.left_address || '@' || to_.right_address, ',') "
        "FROM t_mailbox_email a LEFT JOIN t_group_member g ON g.group_id = a.item_id "
        "JOIN t_mailbox_email to_ ON to_.is_default AND to_.item_id = coalesce(g.member_id, a.item_id) "
        "GROUP BY a.item_id, 1 ORDER BY a.item_id, 1"
    )
    domains = [
        row[0] for row in sql("SELECT unnest(aliases) FROM t_domain WHERE NOT global ORDER BY item_id, 1")
    ]
    relayed = sql("SELECT unnest(string_to_array(configuration -> 'split_domains', ' ')) FROM t_systemconf")
    return {
        "virtual_domains": [f"{domain} OK" for domain in domains],
        "virtual_mailbox": [f"{box} OK" for box in boxes],
        "virtual_alias": [f"{alias} {to}" for alias, to in aliases],
        "transport": [f"{box} lmtp:{ip}:2400" for box in boxes],
        "master_relay_transport": [f"{row[0]} retry:4.3.0 the relay is away" for row in relayed],
    }


def mailbox_server() -> str:
    """Address of the server that has the mailboxes."""
    return str(next(one["value"]["ip"] for one in servers() if "mail/imap" in one["value"]["tags"]))


def write() -> None:
    """Write all tables and have Postfix read them."""
    for name, lines in tables(mailbox_server()).items():
        (POSTFIX / f"{name}-flat").write_text("".join(line + "\n" for line in lines))
    subprocess.run([str(POSTFIX / "updateMaps.sh")], check=True)
    log("n.b.b.p.i.PostfixService", "Postfix maps updated")
