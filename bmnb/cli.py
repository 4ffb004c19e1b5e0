"""The command line: thin, everything is done elsewhere.

pandas, papermill and nbconvert take seconds and more than 100 MiB to import, so each command
imports what it needs itself.
"""

from __future__ import annotations

import errno
import functools
import json
import logging
import os
import shlex
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from click import shell_completion

from bmnb import __version__, diagnostics, procedures
from bmnb.errors import BmnbError, InputError
from bmnb.folders import NOTEBOOK, home
from bmnb.journal import Journal
from bmnb.language import LANGUAGES, use
from bmnb.options import become, json_option, lang_option, runs_option, tell_of
from bmnb.plain import say
from bmnb.preferences import preferences
from bmnb.settings import make, problems, read
from bmnb.steps import Procedure

RUN = click.Path(exists=True, file_okay=False, path_type=Path)
NAMES = click.Choice(procedures.NAMES)


REFUSED = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.EEXIST, errno.ENOTDIR, errno.EISDIR),
)
"""What a full disk answers, one that takes nothing, or a place that is another's or of another kind."""
GROUPS = {"fleet": "bmnb.fleet.cli", "lab": "bmnb.lab.cli"}
logger = logging.getLogger(__name__)


def logged(command: click.Command) -> click.Command:
    """The command, or those of the group, with the options of the log, which may also stand before its name."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            logged(one)
    elif command.callback and not any(one.name == "log_file" for one in command.params):
        command.params += log_options()
        command.callback = with_log(command.callback)
    return command


def log_options() -> list[click.Parameter]:
    return [
        click.Option(["-v", "--verbose"], count=True, help="show what is done on the way; -vv all of it"),
        click.Option(
            ["--log-file"],
            type=click.Path(dir_okay=False, path_type=Path),
            envvar=diagnostics.VARIABLE,
            help="file to which all of that is added, without secrets",
        ),
    ]


def with_log(does: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(does)
    def logging_it(*, verbose: int, log_file: Path | None, **values: Any) -> Any:
        context = click.get_current_context()
        before = context.find_root().params
        log = diagnostics.Diagnostics(log_file or before.get("log_file"), verbose + before.get("verbose", 0))
        context.find_root().obj = log
        context.call_on_close(log.close)
        log.begin(sys.argv)
        try:
            return does(**values)
        except Exception:
            logger.debug("%s ended by:", context.command_path, exc_info=True)
            raise

    return logging_it


class Commands(click.Group):
    """A group whose commands end with the exit code of what stopped them; `GROUPS` are imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *GROUPS])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in GROUPS:
            found: click.Command | None = getattr(import_module(GROUPS[name]), name)
        else:
            found = super().get_command(ctx, name)
        return logged(found) if found else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BmnbError as error:
            say(f"{type(error).__name__}: {error}", err=True)
            sys.exit(error.exit_code)
        except OSError as error:
            if error.errno not in REFUSED:
                raise
            say(f"{error.filename or 'this machine'}: {error.strerror}", err=True)
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main(**log: Any) -> None:
    """Guided runbook notebooks for BlueMind servers."""


main.params += log_options()


@main.command("plan", epilog="Example: bmnb plan changing-distributions -f client.yaml")
@click.argument("procedure", type=NAMES)
@click.option("-f", "--file", "client", type=Path, help="client file (YAML)")
@click.option("--json", "as_json", is_flag=True, help="one JSON list")
def show_plan(procedure: str, client: Path | None, as_json: bool) -> None:
    """Print the plan of PROCEDURE; no server is contacted."""
    from bmnb import plan

    chosen = procedures.named(procedure)
    values = {**preferences(), **(read(client) if client else {})}
    settings: Any = make(chosen.settings, values, str(client or "parameters"))
    rows = list(plan.rows(chosen, settings))
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for step in dict.fromkeys((row["phase"], row["step"]) for row in rows):
        say(f"\n{step[0]}: {step[1]}")
        for row in rows:
            if (row["phase"], row["step"]) == step:
                say(f"  {row['no']:2} {row['kind']:7} {row['server']}: {row['what']}")
                say("".join(f"       $ {line}\n" for line in row["command"].splitlines()), nl=False)


@main.command(
    "run", epilog="Example: bmnb run changing-distributions -f client.yaml --through hot-synchronization"
)
@click.argument("procedure", type=NAMES)
@click.option("-f", "--file", "client", type=Path, required=True, help="client file (YAML)")
@click.option("--through", help="last phase to run")
@click.option("--again", is_flag=True, help="make one more hot pass where all were made already")
@click.option("--every", help="make hot passes at this pace, such as 30m, until the service is stopped")
@click.option("--until", help="when these end and the service may be stopped, such as 2026-12-05T22:00")
@click.option(
    "--budget", help="downtime that may be expected at the most, such as 10m; else the service is not stopped"
)
@click.option("--runs", help="folder of the runs")
@click.option("--cell-timeout", type=int, help="seconds that a cell may take")
@click.option("--sign", "key", type=Path, help="SSH key that signs the run, as ssh-keygen -Y sign takes it")
@json_option
def do_run(
    procedure: str,
    client: Path,
    through: str | None,
    again: bool,
    every: str | None,
    until: str | None,
    budget: str | None,
    runs: str | None,
    cell_timeout: int | None,
    key: Path | None,
    as_json: bool,
) -> None:
    """Run PROCEDURE headless. The same command again goes on where it stopped.

    With --every it goes on with hot passes until --until, or without that until Ctrl-C; then it goes on where the
    answers are given. A pass that fails is told, and the next one is made at its time.

    Ctrl-C stops what runs on the servers. After SIGTERM, SIGHUP, a timeout or a crash it goes on there,
    and the same command takes it up again.

    Exit status: 0 done; 1 an action failed; 2 the input is wrong; 3 stopped at an inhibitor or an
    unanswered confirmation.
    """
    from bmnb import headless

    chosen = procedures.named(procedure)
    folder_given = {"folder": str(found)} if (found := home(client)) else {}
    runs_given = {"runs": runs} if runs else {}
    values = {"dry_run": False, **preferences(), **read(client), **folder_given, **runs_given}
    tell = tell_of(as_json)
    given = {"again": again, "every": every, "until": until, "budget": budget}
    now = {name: value for name, value in given.items() if value}
    code, folder = headless.run(chosen, values, str(client), tell, through, cell_timeout, now)
    made = {"notebook": str(folder / NOTEBOOK)}
    if (folder / "journal.jsonl").exists():  # a plan alone has none
        made["report"] = str(report_of(folder, key))
    for what, path in made.items():
        tell(f"{what}: {path}")
    if as_json:
        click.echo(json.dumps({"exit": code, "run": str(folder), **made}, indent=2))
    sys.exit(code)


def report_of(run: Path, key: Path | None) -> Path:
    """The report of a run as it is now; one after which nothing has come is left, and its signature with it."""
    from bmnb import report, seal

    made = run / "report.html"
    if made.exists() and seal.after_seal(run) == 0 and not key:
        return made
    return report.write(run, report.Wish(key=key))


@main.command("check", epilog="Example: bmnb check -f client.yaml")
@click.argument("procedure", type=NAMES, required=False)
@click.option("-f", "--file", "client", type=Path, required=True, help="client file (YAML)")
@json_option
def check(procedure: str | None, client: Path, as_json: bool) -> None:
    """Check the prerequisites alone: nothing is changed on a server, no run is begun.

    PROCEDURE is the one that has the client file's parameters, where it is not given.

    Exit status: 0 all hold; 2 the input is wrong; 3 some do not, with the list.
    """
    from bmnb import ledger
    from bmnb.run import Run

    values = read(client)
    chosen = procedures.named(procedure) if procedure else procedure_of(values, client)
    with TemporaryDirectory(prefix="bmnb-") as folder:
        given = {**preferences(), **values, "dry_run": False, "folder": folder, "through": ""}
        settings: Any = make(chosen.settings, given, str(client))
        first, fits, why = chosen.steps[0], False, ""
        run = Run(chosen, settings, functools.partial(echo, err=as_json))
        try:
            echo(run(first), err=as_json)
            fits = True
        except BmnbError as error:
            why = str(error)
            raise
        finally:
            run.close()
            if as_json:
                checks = list(ledger.step_rows(run.journal, first))
                items = list(ledger.item_rows(run.journal, first))
                told = {
                    "procedure": chosen.name,
                    "fits": fits,
                    "why": why,
                    "checks": checks,
                    "items": items,
                }
                click.echo(json.dumps(told, indent=2))


def echo(shown: Any, err: bool = False) -> None:
    """Show a person a run's table, unless it is empty, or its sentence."""
    if not hasattr(shown, "to_string"):
        say(shown.data, err)
    elif len(shown):
        say(shown.to_string(), err)


def procedure_of(values: dict[str, Any], client: Path) -> Procedure:
    """The procedure that has these parameters. Raise InputError where none or several have."""
    fitting = [one for one in procedures.ALL if not problems(one.settings, values)]
    if len(fitting) == 1:
        return fitting[0]
    raise InputError(
        f"{client}: its parameters do not tell the procedure: bmnb check PROCEDURE -f {client}, "
        f"with one of {', '.join(procedures.NAMES)}"
    )


@main.command("new", epilog="Example: bmnb new changing-distributions --client 'Example Ltd' --lang fr")
@click.argument("procedure", type=NAMES)
@click.option("--client", required=True, help="name of the client")
@runs_option
@lang_option
@click.option("--open", "at_once", is_flag=True, help="open it in JupyterLab")
@json_option
def make_run(procedure: str, client: str, runs: Path, lang: str, at_once: bool, as_json: bool) -> None:
    """Make the folder of a guided run of PROCEDURE, with its own copy of the notebook."""
    from bmnb import start

    folder = start.new(procedures.named(procedure), client, runs, lang, preferences())
    if not (runs / "00-index.ipynb").exists():
        start.page("00-index", runs, lang)
    if as_json:
        click.echo(json.dumps({"run": str(folder), "notebook": str(folder / NOTEBOOK)}, indent=2))
    else:
        say(f"notebook: {folder / NOTEBOOK}")
    if at_once:
        start_jupyter(folder)
    tell_of(as_json)(f"open it: bmnb open {shlex.quote(str(folder))}")


@main.command("open", epilog="Example: bmnb open runs/2026-01-31-example-changing-distributions")
@click.argument("run", type=RUN)
def open_run(run: Path) -> None:
    """Open RUN's notebook in JupyterLab, beside its report once there is one. It goes on until Ctrl-C.

    RUN may also be the folder of the runs.
    """
    start_jupyter(run)


def start_jupyter(folder: Path) -> None:
    """Become the JupyterLab of our own environment; it takes a free port, and opens a browser where there is one."""
    from bmnb import workspace
    from bmnb.doctor import jupyter_folder, takes_files

    if not takes_files(jupyter_folder()):
        raise InputError(
            f"JupyterLab keeps its own files in {jupyter_folder()}, which cannot be written\n"
            f"  → name another home: HOME=/tmp/home bmnb open {folder}"
        )
    is_run = (folder / NOTEBOOK).exists()
    root = folder.resolve().parent if is_run else folder.resolve()
    words = [
        *(sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}"),
        *([f"--LabApp.default_url={workspace.address(folder.resolve())}"] if is_run else []),
        *([] if os.geteuid() else ["--allow-root"]),
    ]
    become(words)


@main.command("index", epilog="Example: bmnb index --lang fr")
@runs_option
@lang_option
@json_option
def make_index(runs: Path, lang: str, as_json: bool) -> None:
    """Write the index of the runs and the fleet's page into the folder of the runs."""
    from bmnb import start

    made = [str(start.page(name, runs, lang)) for name in ("00-index", "fleet")]
    if as_json:
        click.echo(json.dumps({"notebooks": made}, indent=2))
    for path in () if as_json else made:
        say(f"notebook: {path}")


@main.command("status", epilog="Example: bmnb status runs/2026-01-31-example-changing-distributions")
@click.argument("run", type=RUN)
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
@click.option("--watch", is_flag=True, help="go on with what happens, until the run is over or Ctrl-C")
def show_status(run: Path, as_json: bool, watch: bool) -> None:
    """Show where RUN stands, by its journal."""
    from bmnb import status

    state = status.of(run)
    if as_json:
        click.echo(json.dumps(state, indent=2))
    else:
        say(status.text(state))
    if watch:
        from bmnb import headless

        headless.watch(run, say)


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
@json_option
def make_report(
    run: Path,
    lang: str | None,
    pdf: bool,
    against: Path | None,
    redact_hosts: bool,
    parquet: bool,
    key: Path | None,
    as_json: bool,
) -> None:
    """Make the HTML report and the tables of RUN, and seal it."""
    from bmnb import report, seal

    signed = (run / seal.SIGNATURE).exists()
    path = report.write(run, report.Wish(lang or "", against, pdf, redact_hosts, parquet, key))
    made = {"report": str(path), **({"pdf": str(path.with_suffix(".pdf"))} if pdf else {})}
    if as_json:
        click.echo(json.dumps(made, indent=2))
    for what, place in () if as_json else made.items():
        say(f"{what}: {place}")
    if signed and not key:
        tell_of(as_json)(
            "the run was signed, and is not any more: bmnb report RUN --sign KEY signs it as it is now"
        )


@main.command("unlock", epilog="Example: bmnb unlock runs/2026-01-31-example-changing-distributions target")
@click.argument("run", type=RUN)
@click.argument("server")
def unlock(run: Path, server: str) -> None:
    """Break the lock that another run holds on SERVER, on the record of RUN."""
    from bmnb.run import reopen

    opened = reopen(run, procedures.ALL)
    opened.unlock(server)
    opened.close()
    say(f"the lock of {server} is broken, as {run / 'journal.jsonl'} tells")


@main.command("verify", epilog="Example: bmnb verify runs/2026-01-31-example-changing-distributions")
@click.argument("run", type=RUN)
@click.option("--signers", type=Path, help="file of the keys that may sign, as ssh-keygen's allowed_signers")
@click.option(
    "--head", default="", help="head of the chain, as the first page of a report has it, or `bmnb status`"
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def verify(run: Path, signers: Path | None, head: str, as_json: bool) -> None:
    """Verify that nothing of RUN was changed since its last seal: journal, notebook, tables, reports, signature.

    With --signers all of the run must be sealed and signed by one of them; with --head the journal must be
    the one that had this head, with nothing after it but seals.

    Exit status: 0 all holds; 1 something was changed, is missing or does not belong to the run.
    """
    from bmnb import seal

    lines = Journal(run / "journal.jsonl").lines
    if not lines:
        raise InputError(f"{run} has no journal")
    found, after = list(seal.problems(run, signers, head.strip().lower())), seal.after_seal(run)
    if as_json:
        told = {"lines": len(lines), "head": lines[-1]["sha256"], "problems": found, "after seal": after}
        click.echo(json.dumps(told, indent=2))
        sys.exit(1 if found else 0)
    say(seal.whose(lines))
    say(f"{len(lines)} lines, chain holds, last {lines[-1]['sha256']}")
    for problem in found:
        say(f"CHANGED {problem}")
    if after is None:
        say("not sealed yet: notebook and tables are not covered; `bmnb report` seals the run")
    elif after:
        say(f"{after} lines after the last seal: `bmnb report` seals the run as it is now")
    elif not found:
        say("notebook, tables, logs and reports are those of the run")
    sys.exit(1 if found else 0)


@main.command("rollback", epilog="Example: bmnb rollback runs/2026-01-31-example-changing-distributions")
@click.argument("run", type=RUN)
@click.option(
    "--confirm",
    default="",
    help="name of the server that is given up, where mail would be lost; or who restored the backup",
)
@click.option(
    "--answer",
    "given",
    multiple=True,
    metavar="KEY=TEXT",
    help="what a person has done for the way back, such as origin-is-back or names-back; may be repeated",
)
@click.option("--dry-run", is_flag=True, help="only show what it would do and cost; no server is contacted")
@click.option("--sign", "key", type=Path, help="SSH key that signs the run, as ssh-keygen -Y sign takes it")
@json_option
def go_back(
    run: Path, confirm: str, given: tuple[str, ...], dry_run: bool, key: Path | None, as_json: bool
) -> None:
    """Go back: undo what RUN's journal says was begun. The same command again goes on where it stopped.

    After the switch its price, the mail that the target has accepted, is shown first and must be confirmed.
    """
    from bmnb import headless, rollback
    from bmnb.run import reopen

    pairs = [one.partition("=") for one in given]
    if wrong := [key for key, _, text in pairs if not text]:
        raise InputError(f"--answer {wrong[0]}: KEY=TEXT is expected")
    answers = dict.fromkeys((rollback.CONFIRM, rollback.RESTORED), confirm) if confirm else {}
    reopened = reopen(
        run,
        procedures.ALL,
        {**answers, **{key: text for key, _, text in pairs}},
        functools.partial(echo, err=as_json),
    )
    if dry_run:
        if as_json:
            price, planned = rollback.price(reopened), list(rollback.planned(reopened))
            click.echo(json.dumps({"price": price, "actions": planned}, indent=2))
        else:
            say(rollback.price(reopened))
            say("\n".join(rollback.listed(reopened)))
        return
    tell = tell_of(as_json)
    try:
        with headless.Follower(run, tell):
            try:
                rollback.roll_back(reopened)
            finally:
                reopened.close()
        took = rollback.seconds(reopened.journal)
        tell(f"rolled back in {took:.0f} s")
    finally:
        written = report_of(run, key)
        tell(f"report: {written}")
    if as_json:
        told = {"rolled back": str(run), "seconds": round(took, 1), "report": str(written)}
        click.echo(json.dumps(told, indent=2))


@main.command("doctor", epilog="Example: bmnb doctor")
@runs_option
@click.option("--json", "as_json", is_flag=True, help="one JSON list")
def doctor(runs: Path, as_json: bool) -> None:
    """Show what of this machine fits.

    Exit status: 0 all that is needed is there; 1 something is missing.
    """
    from bmnb import doctor as machine
    from bmnb.tables import table

    config = Path(str(preferences().get("ssh_config", "~/.ssh/config"))).expanduser()
    use(str(preferences().get("language", "en")))
    found = list(machine.rows(runs, config))
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        say(table(found).to_string())
    sys.exit(0 if all(row["fits"] or row["need"] == machine.OPTIONAL for row in found) else 1)


@main.command("bundle", epilog="Example: bmnb bundle bmnb-offline.tar.gz --python 3.12")
@click.argument("out", type=Path)
@click.option(
    "--platform", default="", help="a wheel's platform, as manylinux_2_28_x86_64; this machine's if not given"
)
@click.option("--python", default="", help="version of Python there, as 3.12; this one if not given")
@click.option(
    "--wheel", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="bmnb's own wheel"
)
@json_option
def bundle(out: Path, platform: str, python: str, wheel: Path | None, as_json: bool) -> None:
    """Write an archive from which bmnb is installed where there is no internet: tar xf OUT, sh install.sh."""
    from bmnb import bundle as bundling

    made = bundling.write(out, platform, python, wheel)
    if as_json:
        click.echo(json.dumps({"bundle": str(made), "bytes": made.stat().st_size}, indent=2))
    else:
        say(f"bundle: {made}")


@main.command("completion", epilog='Example: eval "$(bmnb completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what has SHELL complete our commands: a line for its start-up file."""
    kind = shell_completion.get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "bmnb", "_BMNB_COMPLETE").source())
