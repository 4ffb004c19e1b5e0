"""`bmnb fleet`: many clients in one command.

Dask, and what reads journals and draws, is slow to import and large: each command imports what it needs.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bmnb import language, procedures
from bmnb.errors import InputError
from bmnb.options import lang_option, runs_option
from bmnb.plain import say

if TYPE_CHECKING:
    from bmnb.fleet.store import Store

WATCH_SECONDS = 3.0


@click.group()
def fleet() -> None:
    """Run a procedure for many clients, on this machine or on a cluster."""
    if find_spec("_sqlite3") is None:
        raise InputError(
            f"Python at {sys.executable} was built without SQLite, in which a fleet keeps its state\n"
            "  → install bmnb with another Python, such as the system's, or one of uv's"
        )


@fleet.command(
    epilog="Example: bmnb fleet run changing-distributions clients/ --at-once 4 --through hot-synchronization"
)
@click.argument("procedure", type=click.Choice(procedures.NAMES))
@click.argument("files", nargs=-1, required=True)
@runs_option
@click.option(
    "--at-once", type=click.IntRange(1), default=2, show_default=True, help="runs side by side at the most"
)
@click.option("--through", default="", help="last phase to run")
@click.option("--again", is_flag=True, help="who has made all hot passes makes one more, as every night")
@click.option("--scheduler", default="", help="address of a Dask scheduler, like tls://10.0.0.5:8786")
@click.option("--tls-ca", default="", help="certificate of the authority, with --scheduler tls://")
@click.option("--tls-cert", default="", help="certificate of this machine")
@click.option("--tls-key", default="", help="key of this machine")
@lang_option
def run(
    procedure: str,
    files: tuple[str, ...],
    runs: Path,
    at_once: int,
    through: str,
    again: bool,
    scheduler: str,
    tls_ca: str,
    tls_cert: str,
    tls_key: str,
    lang: str,
) -> None:
    """Run PROCEDURE for the clients of FILES: client files, folders, patterns, or an inventory.

    The same command again goes on where it stopped and repeats nothing that is done. Exit status: 0 all
    are done; 1 some failed; 2 the input is wrong, nothing was started; 3 some wait for a person, were
    stopped, or missed their window.
    """
    if find_spec("distributed") is None:
        raise InputError(
            "Dask, which places the runs of a fleet, is not installed\n  → pip install 'bmnb[fleet]'"
        )
    from bmnb.fleet import inventory
    from bmnb.fleet.conduct import Conductor, Wish
    from bmnb.fleet.engine import Cluster, Engine
    from bmnb.fleet.notices import Notifier
    from bmnb.fleet.store import Store

    chosen = procedures.named(procedure)
    if again and not chosen.synchronizations:
        raise InputError(f"--again: {chosen.name} has no hot passes")
    names = [phase.name for phase in chosen.phases]
    if through and through not in names:
        raise InputError(f"--through: {through!r} is not one of {', '.join(names)}")
    gathered = inventory.gather(chosen, files)
    store = Store(runs)
    store.make()
    with store.alone():
        engine = Engine(at_once, Cluster(scheduler, tls_ca, tls_cert, tls_key), store.folder)
        try:
            with Notifier(gathered.notices, store) as notify:
                wish = Wish(through, at_once, again=again)
                conductor = Conductor(chosen, gathered, store, engine, wish, say, notify, _ending())
                code = conductor.run()
        finally:
            engine.close()
        from bmnb.fleet import board, page

        say(f"report: {page.write(board.Board(store.runs, lang), lang)}")
    sys.exit(code)


@fleet.command(epilog="Example: bmnb fleet stop example --runs runs")
@click.argument("clients", nargs=-1)
@runs_option
def stop(clients: tuple[str, ...], runs: Path) -> None:
    """End the runs of CLIENTS in order, or all: notebook, what runs on the servers, kernel. Nothing new starts."""
    from bmnb.fleet import work
    from bmnb.fleet.store import PLANNED, STARTED

    store = _known(runs)
    wanted = [store.client(name) for name in clients] or store.clients()
    active = [one for one in wanted if one.state in (PLANNED, STARTED)]
    for one in active:
        store.change(one.name, stop=1)
        if not store.commanded and work.interrupt(store.folder, one.name):
            say(f"{one.name}: asked to end; no fleet command attends it")
    say(f"asked to end: {', '.join(one.name for one in active) or 'none is under way'}")


@fleet.command(epilog="Example: bmnb fleet status --watch")
@runs_option
@click.option("--json", "as_json", is_flag=True, help="one JSON list")
@click.option("--watch", is_flag=True, help="again every few seconds, until nothing is left to wait for")
@click.option("--report", "as_report", is_flag=True, help="write the summary over all clients as HTML")
@click.option("--notebook", "as_notebook", is_flag=True, help="write a notebook with the same tables, live")
@lang_option
def status(runs: Path, as_json: bool, watch: bool, as_report: bool, as_notebook: bool, lang: str) -> None:
    """Show where each client stands, by the fleet's state and the journals of the runs."""
    from bmnb.fleet import board, notebook, page

    if as_notebook:
        path = notebook.write(_known(runs), lang)
        say(f"notebook: {path}\nopen it: bmnb open {runs}")
        return
    shown = board.Board(_known(runs).runs, lang)
    while watch and shown.open:
        click.clear()
        say(shown.text())
        time.sleep(WATCH_SECONDS)
    if as_report:
        say(f"report: {page.write(shown, lang)}")
        return
    if as_json:
        click.echo(json.dumps(shown.plain(), indent=2))
    else:
        say(shown.text())


@fleet.command(epilog="Example: bmnb fleet clients --runs runs")
@runs_option
@click.option("--json", "as_json", is_flag=True, help="one JSON list")
@click.option("--report", "as_report", is_flag=True, help="write the same as one HTML page")
@lang_option
def clients(runs: Path, as_json: bool, as_report: bool, lang: str) -> None:
    """Show all clients of the runs: version, end of support and subscription, last update, and what is due."""
    from bmnb.fleet import clients as known

    runs = runs.expanduser()
    with language.use(lang):
        found = known.rows(runs)
        if as_report:
            say(f"page: {known.page(runs, lang)}")
        elif as_json:
            click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        else:
            say(known.table(found).to_string())


def _known(runs: Path) -> Store:
    from bmnb.fleet.store import Store

    store = Store(runs)
    if not store.exists:
        raise InputError(f"no fleet in {runs}")
    return store


def _ending() -> threading.Event:
    """Set by Ctrl-C, and by systemd when it stops the command."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    return asked
