"""`bmnb lab`: servers on this machine on which the procedures can be rehearsed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

import click

from bmnb.errors import InputError
from bmnb.lab.clients import inventory, names, write_inventory
from bmnb.lab.host import raise_at_sigterm
from bmnb.lab.identity import NETWORKS
from bmnb.lab.images import RELEASES
from bmnb.lab.layers import HOSTS
from bmnb.lab.pace import Pace
from bmnb.lab.platform import UPDATE, Lab
from bmnb.lab.sweep import sweep
from bmnb.options import become

name_option = click.option(
    "--name", default="lab", show_default=True, help="name of the lab; several can be up"
)
clients_option = click.option(
    "--clients",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="as many pairs of servers, for a fleet",
)


@click.group()
def lab() -> None:
    """Boot real Debian servers on this machine, to rehearse on."""
    raise_at_sigterm()


@lab.command(epilog="Example: bmnb lab up --target trixie --messages 200000")
@name_option
@click.option("--origin", type=click.Choice(RELEASES), default="bullseye", show_default=True)
@click.option("--target", type=click.Choice(RELEASES), default="bookworm", show_default=True)
@click.option("--messages", default=20_000, show_default=True, help="messages in the origin's mail spool")
@click.option("--rows", default=200_000, show_default=True, help="rows in the origin's databases")
@click.option("--users", default=400, show_default=True, help="users of the client")
@click.option("--seed", default=1, show_default=True, help="the same seed gives the same data")
@click.option(
    "--bluemind", type=click.Choice(["4.9", "4.9-last", "5.1", "5.7"]), default="4.9", show_default=True
)
@click.option(
    "--update", is_flag=True, help="a platform to update, with its repositories, instead of two servers"
)
@click.option(
    "--family", type=click.Choice(list(UPDATE)), default="debian", show_default=True, help="with --update"
)
@click.option("--origin-network", type=click.Choice(list(NETWORKS)), default="ifupdown", show_default=True)
@click.option("--target-network", type=click.Choice(list(NETWORKS)), default="networkd", show_default=True)
@click.option(
    "--wal-level",
    type=click.Choice(["replica", "logical"]),
    default="replica",
    show_default=True,
    help="of the origin's PostgreSQL",
)
@click.option(
    "--mail",
    type=click.Choice(["files", "cyrus"]),
    default="files",
    show_default=True,
    help="files shaped like Cyrus's, or Debian's real Cyrus, filled by clients",
)
@click.option("--handles", is_flag=True, help="of folders, so that the origin can keep a journal of changes")
@click.option(
    "--service-seconds",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="that BlueMind's services take to stop, and to start, as on a server with much mail",
)
@click.option(
    "--boot-seconds",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="by which a boot takes longer, as on real machines",
)
@click.option(
    "--habit",
    "chosen",
    multiple=True,
    metavar="NAME",
    help="of administrators, one that `bmnb lab habits` lists; may be repeated",
)
@clients_option
@click.option("--json", "as_json", is_flag=True, help="one JSON object; what is told goes to standard error")
def up(
    name: str,
    origin: str,
    target: str,
    messages: int,
    rows: int,
    users: int,
    seed: int,
    bluemind: str,
    update: bool,
    family: str,
    origin_network: str,
    target_network: str,
    wal_level: str,
    mail: str,
    handles: bool,
    service_seconds: int,
    boot_seconds: int,
    chosen: tuple[str, ...],
    clients: int,
    as_json: bool,
) -> None:
    """Boot an origin with a client's data, and a target fresh from the setup wizard."""
    from bmnb.lab import habits

    wanted = habits.named(chosen)
    if wanted and update:
        raise InputError("--habit is for an origin and a target, and not for --update")
    pace = Pace(service_seconds, boot_seconds)
    if update and pace.slower:
        raise InputError(
            "--service-seconds and --boot-seconds are for an origin and a target, and not for --update"
        )
    tell = partial(click.echo, err=as_json)
    if update:
        platform = Lab(name, tell).up_for_update(family, bluemind)
        told = {
            "ssh configuration": str(platform.ssh_config),
            "servers": ", ".join(server.name for server in platform.servers),
        }
        _tell(told, as_json)
        return
    pairs = [
        Lab(one, tell).up(
            origin,
            target,
            messages,
            rows,
            users,
            seed,
            bluemind,
            origin_network,
            target_network,
            wal_level,
            handles,
            mail=mail if mail == "cyrus" else "",
            pace=pace,
        )
        for one in names(name, clients)
    ]
    for pair in pairs:
        habits.apply(pair, wanted)
    if clients > 1:
        _tell({"inventory of the clients": str(write_inventory(name, pairs))}, as_json)
        tell(f"take them down: bmnb lab down --name {name} --clients {clients}")
        return
    (made,) = pairs
    told = {"ssh configuration": str(made.ssh_config), "the origin's address": made.origin.address}
    _tell(told, as_json)
    tell(f"log in: bmnb lab ssh --name {name} origin; take it down: bmnb lab down --name {name}")


def _tell(told: Mapping[str, str], as_json: bool) -> None:
    """What the form of a run, or its client file, is to be filled with."""
    if as_json:
        click.echo(json.dumps(told, indent=2))
    for what, value in () if as_json else told.items():
        click.echo(f"{what}: {value}")


@lab.command("habits", epilog="Example: bmnb lab habits")
@click.option("--json", "as_json", is_flag=True, help="one JSON list")
def list_habits(as_json: bool) -> None:
    """List what administrators do to their servers, and what comes of it in a migration."""
    from bmnb.lab import habits

    rows = habits.rows()
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['habit']} ({row['servers']}): {row['does']}. {row['comes']}")


@lab.command(epilog="Example: bmnb lab down --name rehearsal")
@name_option
@clients_option
@click.option("--all", "everything", is_flag=True, help="whatever any lab has left, unfinished images too")
def down(name: str, clients: int, everything: bool) -> None:
    """Take the lab away, with everything it made on this machine."""
    if everything:
        for taken in sweep():
            click.echo(taken)
        return
    for one in names(name, clients):
        Lab(one, click.echo).down()
    inventory(name).unlink(missing_ok=True)


@lab.command(epilog="Example: bmnb lab save before-the-night")
@name_option
@clients_option
@click.argument("snapshot", metavar="NAME")
def save(name: str, clients: int, snapshot: str) -> None:
    """Keep the lab's servers as they are under NAME, in place of what had this name. They restart for it."""
    for one in names(name, clients):
        Lab(one, click.echo).save(snapshot)


@lab.command(epilog="Example: bmnb lab restore before-the-night")
@name_option
@clients_option
@click.argument("snapshot", metavar="NAME")
def restore(name: str, clients: int, snapshot: str) -> None:
    """Boot the lab's servers as they were when they were saved as NAME. What they have done since is lost."""
    for one in names(name, clients):
        Lab(one, click.echo).restore(snapshot)


@lab.command(epilog="Example: bmnb lab status --json")
@name_option
@click.option("--json", "as_json", is_flag=True, help="one JSON list")
def status(name: str, as_json: bool) -> None:
    """Show the lab's servers, and the snapshots to which they can be restored."""
    rows = Lab(name).status()
    if as_json:
        click.echo(json.dumps(rows))
        return
    shown = [{**row, "snapshots": ", ".join(row["snapshots"])} for row in rows]
    from bmnb.tables import table

    click.echo(table(shown).to_string() if rows else f"no lab {name!r} is up")


@lab.command(
    epilog="Example: bmnb lab ssh origin bmctl status",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@name_option
@click.argument("host", type=click.Choice(list(HOSTS)))
@click.argument("command", nargs=-1)
def ssh(name: str, host: str, command: tuple[str, ...]) -> None:
    """Log in on HOST, or run COMMAND there."""
    become(["ssh", "-F", str(Lab(name).ssh_config), host, *command])
