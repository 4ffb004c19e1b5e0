"""Fill a stand-in server: as its setup wizard leaves it, and on an origin with a client's data."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
from pathlib import Path

from . import cli, client, cyrus, databases, etc, mailing, maps, platform, postfix, repository, spool
from .here import has_cyrus, token, variant

OWN_MESSAGES = 20
"""Messages of the target's own first user, which the migration replaces."""


def given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=["origin", "target", "core", "mailbox", "edge", "repository"])
    parser.add_argument("--beside", nargs="*", default=[], help="ROLE=ADDRESS of other servers")
    for name in ("messages", "rows", "users", "seed", "partitions"):
        parser.add_argument(f"--{name}", type=int, required=True)
    return parser.parse_args()


def fill_trees(messages: int, users: list[client.User], seed: str, odd: bool) -> None:
    """All trees of this release, with their owners."""
    bodies = spool.Bodies(seed)
    trees = spool.present(variant().cyrus)
    spool.fill_other(users, bodies, [tree for tree in trees if not (has_cyrus() and tree in cyrus.TREES)])
    before = os.umask(0o077)
    if has_cyrus():
        subprocess.run(["systemctl", "stop", "bm-cyrus-imapd"], check=True)
        cyrus.make_room()
    else:
        (spool.fill_cyrus if variant().cyrus else spool.fill_by_hash)(messages, users, bodies)
    if odd:
        spool.fill_odd(bodies)
    os.umask(before)
    for tree, owner in trees.items():
        subprocess.run(["chown", "-R", "-h", owner, tree], check=True)
        Path(tree).chmod(0o700 if owner == spool.CYRUS else 0o755)


def main() -> None:
    options = given()
    ip = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()[0]
    beside = dict(one.split("=") for one in options.beside)
    if options.role == "repository":
        repository.set_up()
    elif options.role == "mailbox":
        platform.set_up_mailbox(ip)
    elif options.role == "edge":
        platform.set_up_edge(ip, beside)
    else:
        whole(options, ip, beside)
    if "repository" in beside:
        platform.set_up_repositories(beside["repository"])


def whole(options: argparse.Namespace, ip: str, beside: dict[str, str]) -> None:
    """A server with all of BlueMind: an origin, a target, or the core of a platform."""
    role, is_origin = options.role, options.role != "target"
    users = client.users(max(options.users, 1) if is_origin else 1)
    subprocess.run(["systemctl", "stop", "bm-core"], check=True)
    etc.write_all(role, ip, random.Random(f"{role} {options.seed}"))
    postfix.set_up(role, ip)
    databases.create(options.partitions)
    databases.fill_directory(users, ip, role)
    if variant().keycloak:
        databases.create_keycloak(role, token())
    platform.add_servers(beside)
    maps.write()
    if is_origin:
        databases.fill_content(users, options.rows, options.seed)
        postfix.leave_mail(users)
    fill_trees(options.messages if is_origin else OWN_MESSAGES, users, f"{role} {options.seed}", is_origin)
    subprocess.run(["bmctl", "start"], check=True)
    if has_cyrus():
        mailing.fill(options.messages if is_origin else OWN_MESSAGES, users, f"{role} {options.seed}")
    cli.wait(cli.ask("POST", variant().firewall))
    if role == "core":
        platform.own_settings()
    if role == "origin":
        # Last, so that the writer begins with the next boot: until then the data is the seed's alone.
        etc.write("/etc/default/bmnb-writer", "CHANGES_A_SECOND=30\n")


if __name__ == "__main__":
    main()
