"""The command line: thin, everything is done elsewhere.

pandas, matplotlib, papermill and nbconvert take seconds and more than 100 MiB to import, so each command
imports what it needs itself.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from bmnb import __version__, plan, procedures, seal
from bmnb.errors import BmnbError, InputError
from bmnb.folders import NOTEBOOK, home
from bmnb.journal import Journal
from bmnb.language import LANGUAGES
from bmnb.settings import make, read

RUN = click.Path(exists=True, file_okay=False, path_type=Path)
NAMES = click.Choice([procedure.name for procedure in procedures.ALL])


GROUPS = {"fleet": "bmnb.fleet.cli", "lab": "bmnb.lab.cli"}


class Commands(click.Group):
    """A group whose commands end with the exit code of what stopped them; `GROUPS` are imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *GROUPS])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in GROUPS:
            found: click.Command = getattr(import_module(GROUPS[name]), name)
            return found
        return super().get_command(ctx, name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BmnbError as error:
            click.echo(f"{type(error).__name__}: {error}", err=True)
            sys.exit(error.exit_code)


@click.group(cls=Commands)
@click.version_option(__version__)
def main() -> None:
    """Guided runbook notebooks for BlueMind servers."""


@main.command("plan", epilog="Example: bmnb plan changing-distributions -f client.yaml")
@click.argument("procedure", type=NAMES)
@click.option("-f", "--file", "client", type=Path, help="client file (YAML)")
@click.option("--json", "as_json", is_flag=True, help="one JSON list")
def show_plan(procedure: str, client: Path | None, as_json: bool) -> None:
    """Print the plan of PROCEDURE; no server is contacted."""
    chosen = procedures.named(procedure)
    settings: Any = make(chosen.settings, read(client) if client else {}, str(client or "parameters"))
    rows = list(plan.rows(chosen, settings))
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for step in dict.fromkeys((row["phase"], row["step"]) for row in rows):
        click.echo(f"\n{step[0]}: {step[1]}")
        for row in rows:
            if (row["phase"], row["step"]) == step:
                click.echo(f"  {row['no']:2} {row['kind']:7} {row['server']}: {row['what']}")
                click.echo("".join(f"       $ {line}\n" for line in row["command"].splitlines()), nl=False)


@main.command(
    "run", epilog="Example: bmnb run changing-distributions -f client.yaml --through hot-synchronization"
)
@click.argument("procedure", type=NAMES)
@click.option("-f", "--file", "client", type=Path, required=True, help="client file (YAML)")
@click.option("--through", help="last phase to run")
@click.option("--runs", help="folder of the runs")
@click.option("--cell-timeout", type=int, help="seconds that a cell may take")
@click.option("--sign", "key", type=Path, help="SSH key that signs the run, as ssh-keygen -Y sign takes it")
def do_run(
    procedure: str,
    client: Path,
    through: str | None,
    runs: str | None,
    cell_timeout: int | None,
    key: Path | None,
) -> None:
    """Run PROCEDURE headless. The same command again goes on where it stopped.

    Ctrl-C stops what runs on the servers. After SIGTERM, SIGHUP, a timeout or a crash it goes on there,
    and the same command takes it up again.

    Exit status: 0 done; 1 an action failed; 2 the input is wrong; 3 stopped at an inhibitor or an
    unanswered confirmation.
    """
    from bmnb import headless, report

    chosen = procedures.named(procedure)
    folder_given = {"folder": str(found)} if (found := home(client)) else {}
    runs_given = {"runs": runs} if runs else {}
    values = {"dry_run": False, **read(client), **folder_given, **runs_given}
    code, folder = headless.run(chosen, values, str(client), click.echo, through, cell_timeout)
    click.echo(f"notebook: {folder / 'notebook.ipynb'}")
    if (folder / "journal.jsonl").exists():  # a plan alone has none
        click.echo(f"report: {report.write(folder, report.Wish(key=key))}")
    sys.exit(code)


@main.command("new", epilog="Example: bmnb new changing-distributions --client 'Example Ltd' --lang fr")
@click.argument("procedure", type=NAMES)
@click.option("--client", required=True, help="name of the client")
@click.option("--runs", type=Path, default="runs", show_default=True, help="folder of the runs")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="language")
def make_run(procedure: str, client: str, runs: Path, lang: str) -> None:
    """Make the folder of a guided run of PROCEDURE, with its own copy of the notebook."""
    from bmnb import start

    folder = start.new(procedures.named(procedure), client, runs, lang)
    if not (runs / "00-index.ipynb").exists():
        start.page("00-index", runs, lang)
    click.echo(f"notebook: {folder / NOTEBOOK}")
    as_root = "" if os.geteuid() else " --allow-root"
    click.echo(f"open it: {Path(sys.executable).parent}/jupyter lab{as_root} {folder / NOTEBOOK}")


@main.command("index", epilog="Example: bmnb index --lang fr")
@click.option("--runs", type=Path, default="runs", show_default=True, help="folder of the runs")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="language")
def make_index(runs: Path, lang: str) -> None:
    """Write the index of the runs and the fleet's page into the folder of the runs."""
    from bmnb import start

    for name in ("00-index", "fleet"):
        click.echo(f"notebook: {start.page(name, runs, lang)}")


@main.command("status", epilog="Example: bmnb status runs/2026-01-31-example-changing-distributions")
@click.argument("run", type=RUN)
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
@click.option("--watch", is_flag=True, help="go on with what happens, until the run is over or Ctrl-C")
def show_status(run: Path, as_json: bool, watch: bool) -> None:
    """Show where RUN stands, by its journal."""
    from bmnb import status

    state = status.of(run)
    click.echo(json.dumps(state, indent=2, ensure_ascii=False) if as_json else status.text(state))
    if watch:
        from bmnb import headless

        headless.watch(run, click.echo)


@main.command(
    "report", epilog="Example: bmnb report runs/2026-01-31-example-changing-distributions --lang fr"
)
@click.argument("run", type=RUN)
@click.option("--lang", type=click.Choice(LANGUAGES), help="language; that of the run where not given")
@click.option("--pdf", is_flag=True, help="also as PDF, with Debian's Chromium")
@click.option("--against", type=RUN, help="another run to compare with, such as the rehearsal")
@click.option("--redact-hosts", is_flag=True, help="a copy without names and addresses, for a public ticket")
@click.option("--parquet", is_flag=True, help="the tables as Parquet beside CSV; needs bmnb[parquet]")
@click.option("--sign", "key", type=Path, help="SSH key that signs the run, as ssh-keygen -Y sign takes it")
def make_report(
    run: Path,
    lang: str | None,
    pdf: bool,
    against: Path | None,
    redact_hosts: bool,
    parquet: bool,
    key: Path | None,
) -> None:
    """Make the HTML report and the tables of RUN, and seal it."""
    from bmnb import report

    path = report.write(run, report.Wish(lang or "", against, pdf, redact_hosts, parquet, key))
    click.echo(f"report: {path}")
    if pdf:
        click.echo(f"pdf: {path.with_suffix('.pdf')}")


@main.command("unlock", epilog="Example: bmnb unlock runs/2026-01-31-example-changing-distributions target")
@click.argument("run", type=RUN)
@click.argument("server")
def unlock(run: Path, server: str) -> None:
    """Break the lock that another run holds on SERVER, on the record of RUN."""
    from bmnb.run import reopen

    opened = reopen(run, procedures.ALL)
    opened.unlock(server)
    opened.close()
    click.echo(f"the lock of {server} is broken, as {run / 'journal.jsonl'} tells")


@main.command("verify", epilog="Example: bmnb verify runs/2026-01-31-example-changing-distributions")
@click.argument("run", type=RUN)
@click.option("--signers", type=Path, help="file of the keys that may sign, as ssh-keygen's allowed_signers")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def verify(run: Path, signers: Path | None, as_json: bool) -> None:
    """Verify that nothing of RUN was changed: journal, notebook, tables, reports, signature.

    Exit status: 0 all holds; 1 something was changed, is missing or does not belong to the run.
    """
    lines = Journal(run / "journal.jsonl").lines
    if not lines:
        raise InputError(f"{run} has no journal")
    found, after = list(seal.problems(run, signers)), seal.after_seal(run)
    if as_json:
        told = {"lines": len(lines), "head": lines[-1]["sha256"], "problems": found, "after seal": after}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        sys.exit(1 if found else 0)
    click.echo(f"{len(lines)} lines, chain holds, last {lines[-1]['sha256']}")
    for problem in found:
        click.echo(f"CHANGED {problem}")
    if after is None:
        click.echo("not sealed yet: notebook and tables are not covered; `bmnb report` seals the run")
    elif after:
        click.echo(f"{after} lines after the last seal: `bmnb report` seals the run as it is now")
    elif not found:
        click.echo("notebook, tables, logs and reports are those of the run")
    sys.exit(1 if found else 0)


@main.command("rollback", epilog="Example: bmnb rollback runs/2026-01-31-example-changing-distributions")
@click.argument("run", type=RUN)
@click.option(
    "--confirm",
    default="",
    help="name of the server that is given up, where mail would be lost; or who restored the backup",
)
def go_back(run: Path, confirm: str) -> None:
    """Go back: undo what RUN's journal says was begun. The same command again goes on where it stopped.

    After the switch its price, the mail that the target has accepted, is shown first and must be confirmed.
    """
    from bmnb import headless, rollback
    from bmnb.run import reopen

    reopened = reopen(
        run,
        procedures.ALL,
        dict.fromkeys((rollback.CONFIRM, rollback.RESTORED), confirm) if confirm else {},
        lambda shown: click.echo(shown.to_string()),
    )
    with headless.Follower(run, click.echo):
        try:
            rollback.roll_back(reopened)
        finally:
            reopened.close()
    click.echo(f"rolled back in {rollback.seconds(reopened.journal):.0f} s")
