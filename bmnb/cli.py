"""The command line: thin, everything is done elsewhere."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from bmnb import __version__, headless, plan, procedures, report, rollback
from bmnb.errors import BmnbError, InputError
from bmnb.journal import Journal
from bmnb.lab.cli import lab
from bmnb.ledger import phase_rows
from bmnb.settings import make, read
from bmnb.steps import Procedure
from bmnb.tables import table

NAMES = click.Choice([procedure.name for procedure in procedures.ALL])


class Commands(click.Group):
    """A group whose commands end with the exit code of what stopped them."""

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


main.add_command(lab)


@main.command("plan", epilog="Example: bmnb plan changing-distributions -f client.yaml")
@click.argument("procedure", type=NAMES)
@click.option("-f", "--file", "client", type=Path, help="client file (YAML)")
@click.option("--json", "as_json", is_flag=True, help="one JSON list")
def show_plan(procedure: str, client: Path | None, as_json: bool) -> None:
    """Print the plan of PROCEDURE; no server is contacted."""
    chosen = _procedure(procedure)
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
def do_run(procedure: str, client: Path, through: str | None, runs: str | None) -> None:
    """Run PROCEDURE headless. The same command again goes on where it stopped.

    Exit status: 0 done; 1 an action failed; 2 the input is wrong; 3 stopped at an inhibitor or an
    unanswered confirmation.
    """
    chosen = _procedure(procedure)
    values = {"dry_run": False, **read(client)}
    values |= {name: value for name, value in (("through", through), ("runs", runs)) if value is not None}
    code, folder = headless.run(chosen, values, str(client), click.echo)
    click.echo(f"notebook: {folder / 'notebook.ipynb'}")
    click.echo(f"report: {report.write(folder)}")
    sys.exit(code)


@main.command("status", epilog="Example: bmnb status runs/2026-01-31-example-changing-distributions")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="one JSON list")
def show_status(run: Path, as_json: bool) -> None:
    """Show the phases of RUN, by its journal."""
    journal = Journal(run / "journal.jsonl")
    opened = journal.last("opened")
    if opened is None:
        raise InputError(f"{run} has no run in its journal")
    rows = list(phase_rows(_procedure(opened["procedure"]), journal))
    click.echo(json.dumps(rows, indent=2, ensure_ascii=False) if as_json else table(rows).to_string())


@main.command("report", epilog="Example: bmnb report runs/2026-01-31-example-changing-distributions")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
def make_report(run: Path) -> None:
    """Make the HTML report of RUN from its notebook."""
    click.echo(f"report: {report.write(run)}")


@main.command("verify", epilog="Example: bmnb verify runs/2026-01-31-example-changing-distributions")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
def verify(run: Path) -> None:
    """Verify that no line of RUN's journal was changed, taken out or put in another order."""
    journal = Journal(run / "journal.jsonl")
    if not journal.lines:
        raise InputError(f"{run} has no journal")
    click.echo(f"{len(journal.lines)} lines, chain holds, last {journal.lines[-1]['sha256']}")


@main.command("rollback", epilog="Example: bmnb rollback runs/2026-01-31-example-changing-distributions")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--confirm", default="", help="name of the server that is given up, where mail would be lost")
def go_back(run: Path, confirm: str) -> None:
    """Go back: undo what RUN's journal says was begun. The same command again goes on where it stopped.

    After the switch its price, the mail that the target has accepted, is shown first and must be confirmed.
    """
    reopened = rollback.reopen(run, procedures.ALL, confirm, lambda shown: click.echo(shown.to_string()))
    with headless.Follower(run / "journal.jsonl", click.echo):
        try:
            rollback.roll_back(reopened)
        finally:
            reopened.close()
    click.echo(f"rolled back in {rollback.seconds(reopened.journal):.0f} s")


def _procedure(name: str) -> Procedure:
    return next(procedure for procedure in procedures.ALL if procedure.name == name)
