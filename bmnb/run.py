"""The one interpreter: it does a procedure's steps in order, keeps the journal, and resumes."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from IPython.display import display

from bmnb import __version__, diagnostics, forecast, kernel, language, live, opened, plan, tables, warm
from bmnb.attend import attend
from bmnb.errors import ActionFailed, BmnbError, InputError, Interrupted, Stopped
from bmnb.files import private, private_folder
from bmnb.folders import folder_of
from bmnb.frozen import proven, refuse_changes, reopen_changed
from bmnb.journal import Journal, step_of
from bmnb.language import _
from bmnb.ledger import (
    changes_a_server,
    checklist_rows,
    has_undone,
    item_rows,
    note_rows,
    pass_rows,
    phase_rows,
    rolling_back,
    step_rows,
    way_back_rows,
)
from bmnb.lock import Lock
from bmnb.logs import Logs
from bmnb.own_time import OwnTime, look_seconds, measured
from bmnb.perform import Numbered, Outcome, Performer
from bmnb.phrases import keep
from bmnb.probe import Probe
from bmnb.remote import Servers
from bmnb.settings import about, defaults, in_force, make, ordered, server_names
from bmnb.steps import Call, Check, Command, Manual, Procedure, Row, Single, Step, Together, singles

ALONE = (
    "Executed without bmnb's engine: after a dead kernel, a timeout or a signal, papermill alone calls every cell "
    "completed, may leave half a notebook, tells no progress and makes no report. What counts is the journal: "
    "`bmnb status`, `bmnb report`."
)


TORN = "The journal's last line has no end, after a crash or a full disk: what it told does not count, and is done anew where it may be."


def begin(procedure: Procedure, values: Mapping[str, Any]) -> Run:
    """Open the run for a notebook's parameters, or take it up where it stopped.

    `values` may be the notebook's `globals()`: plain values count as parameters, anything else does
    not. A `run` that the notebook had opened before is closed; this one is what its cells import from `opened`.
    Raise InputError where a parameter is unknown or wrong, or is not what the run's steps have proven; no server is
    contacted yet.
    """
    given = parameters(values)
    if isinstance(before := values.get("run"), Run):
        before.close()
    if not given.keys() & defaults(procedure.settings).keys():
        raise opened.none_yet()
    try:
        settings: Any = make(procedure.settings, in_force(procedure.settings, given))
        language.use(settings.language)
        run = Run(procedure, settings)
        if not settings.dry_run:
            refuse_changes(procedure, run.journal, settings)
    except BmnbError as error:
        opened.fail(error)
        raise
    opened.keep(run)
    return run


def reopen(
    folder: Path,
    procedures: Sequence[Procedure],
    answers: Mapping[str, str] | None = None,
    show: Callable[[Any], Any] = display,
) -> Run:
    """The run of a folder with the settings under which it last did anything. Raise InputError where there is none."""
    begun = proven(Journal(folder / "journal.jsonl"))
    if begun is None:
        raise InputError(f"{folder} has no run in its journal")
    procedure = next(one for one in procedures if one.name == begun["procedure"])
    given = {**begun["settings"], "folder": str(folder), "answers": answers or {}}
    return Run(procedure, make(procedure.settings, given, str(folder)), show)


def parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values among a notebook's global names, without IPython's own."""
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, str | int | float | list | dict | None)
        and not name.startswith("_")
        and name not in ("In", "Out")
    }


class Run:
    """One execution of a procedure for one client, with one journal."""

    def __init__(self, procedure: Procedure, settings: Any, show: Callable[[Any], Any] = display) -> None:
        diagnostics.attach()
        self.procedure, self.settings, self.show = procedure, settings, show
        keep(server_names(settings))
        self.folder = folder_of(procedure, settings)
        self.journal = Journal(self.folder / "journal.jsonl")
        self.servers = Servers(Path(settings.ssh_config).expanduser())
        self.probe = Probe(settings.addresses, self.folder / "logs" / "probe.csv")
        self.typed: dict[str, str] = {}
        self.doing: Step | None = None
        self._lock: Lock | None = None
        self._opened = self._told = False

    def __call__(self, step: Step, again: bool = False) -> Any:
        """Do a step and return its table; what is done already is shown from the journal.

        `again` makes one more pass of a step that may be repeated, such as a hot synchronization.
        """
        if not any(step.actions(self.settings)):
            self.show(tables.sentence(_("With these parameters nothing is to be done here.")))
        if self.settings.dry_run or self.is_beyond(step):
            if not self.settings.dry_run:
                text = _("Not done, planned only: `through` ends this run with {phase}.")
                self.show(tables.sentence(text.format(phase=self.settings.through)))
            return tables.table(plan.step_rows(step, self.settings))
        if self.is_over() and not again:
            return self.table(step)
        self.open()
        if has_undone(self.journal):
            raise Stopped(f"this run is being rolled back: bmnb rollback {self._called}")
        if rolling_back(self.journal):
            self.journal.write("rollback given up")
        self._in_order(step)
        for label in self._labels(step, again):
            if not self.is_done(label):
                self.do(step, label)
        if step is self.procedure.steps[-1] and not self.journal.last("finished"):
            self.end("finished")
        return self.table(step)

    def is_over(self) -> bool:
        """Whether the run was at its end before this one opened it, which is told once; then nothing is done, or written."""
        self.journal.reload()
        ended = None if self._opened else over(self.journal)
        if ended and not self._told:
            self._told = True
            self.show(tables.sentence(ended))
        return bool(ended)

    def plan(self, phase: str = "") -> Any:
        """The plan as a table, with how long each step took in past runs; no server is contacted.

        It says what stops working in each phase, or in this one, and for how long; then it has the commands, which in a
        dry run the cells of the steps show.
        """
        past = forecast.past_seconds(self.procedure, self.folder)
        rows = plan.rows(self.procedure, self.settings, past)
        expected = ["expected"] if past else []
        if not phase:
            self.show(tables.sentence(forecast.outlook(self.procedure, past)))
            commands = [] if self.settings.dry_run else ["command"]
            columns = ["phase", "step", "server", "what", "kind", "downtime", *commands, *expected]
            return tables.table(rows, columns, by="step")
        [chosen] = [one for one in self.procedure.phases if one.name == phase]
        told = tables.sentence(forecast.ahead(self.procedure, chosen, past))
        if self.settings.dry_run:
            return told
        self.show(told)
        of_phase = [row for row in rows if row["phase"] == chosen.title]
        return tables.table(of_phase, ["step", "server", "what", "command", *expected], by="step")

    def parameters(self) -> Any:
        """The parameters that count in this run, with their meaning."""
        return tables.table(parameter_rows(self.settings), names=("parameter", "value"))

    def table(self, step: Step) -> Any:
        """What the journal says of a step: how each action ended, a row an action and pass."""
        return tables.table(step_rows(self.journal, step))

    def items(self, step: Step) -> Any:
        """What the checks of a step have seen item by item: what differs, or each mailbox with its mail."""
        return tables.table(item_rows(self.journal, step))

    def passes(self, step: Step) -> Any:
        """The passes of a repeated step with what each one moved, as bars, so that the trend shows."""
        rows = [{name: one[name] for name in one if name != "began"} for one in pass_rows(self.journal, step)]
        return tables.bars(rows, ["seconds", "starts", "transferred", "changed bytes"])

    def forecast(self, hot: Step, cold: Step) -> Any:
        """How long users will be cut off, from the passes of the hot synchronization and from past runs."""
        return tables.sentence(self.foretold(hot, cold))

    def foretold(self, hot: Step, cold: Step) -> str:
        rows = list(pass_rows(self.journal, hot))
        own = self.own_time()
        past = forecast.past_seconds(self.procedure, self.folder, own=own.known is None)
        look = look_seconds(self.journal) if getattr(self.settings, "verify", "") == "before" else 0.0
        return forecast.sentence(self.procedure, cold, rows, past, own, look)

    def own_time(self) -> OwnTime:
        """What BlueMind itself takes to stop and to start on these servers."""
        servers = (getattr(self.settings, name, "") for name in ("origin", "target"))
        return measured(self.journal, *servers)

    def keep_warm(self) -> Any:
        """Go on with hot passes as `every`, `until` and `again` want it; return their table."""
        if not self.procedure.synchronizations:
            raise InputError(f"{self.procedure.title} has no synchronization that is repeated")
        if not self.is_over():
            warm.keep(self)
        return self.passes(self.procedure.synchronizations[0])

    def checklist(self) -> Any:
        """Every step with its state, who did it, when, and how long it took."""
        return tables.table(checklist_rows(self.procedure, self.journal))

    def phases(self) -> Any:
        """The phases with start, end and duration, and the downtime by the journal."""
        return tables.table(phase_rows(self.procedure, self.journal))

    def downtime(self) -> Any:
        """What the probes from outside saw of each port."""
        return tables.table(self.probe.rows())

    def data(self, what: str | Step) -> Any:
        """What the run has counted, as a plain pandas DataFrame: "passes", "files", "databases" …, or that of a step.

        Its columns are typed, and the same in every language and in `tables/*.csv`. Raise InputError with the names
        that there are where there is none of this one.
        """
        # with the report's rows, which a notebook that is only run need not wait for
        from bmnb.data import of_run
        from bmnb.report.facts import Facts

        return of_run.data(Facts(self.folder, self.journal, self.procedure), what)

    def confirm(self, key: str, answer: str) -> None:
        """Answer a confirmation or a manual step, on record."""
        self.open()
        self.journal.write("answer", key=key, answer=answer)

    def answered(self, key: str) -> str:
        """The answer that is on record or in the client file; empty where there is none."""
        recorded = self.journal.last("answer", key=key)
        return str(recorded["answer"] if recorded else self.settings.answers.get(key, ""))

    def note(self, text: str = "", file: str = "") -> Any:
        """Keep a note, and a copy of a file, in the run's folder and on record; show all notes."""
        source = Path(file).expanduser() if file else None
        if source and not source.is_file():
            raise InputError(f"{source} is no file")
        if source:
            self.attach(text, source.name, source.read_bytes())
        elif text:
            self.open()
            self.journal.write("note", text=text, file="")
        return tables.table(note_rows(self.journal), ["when", "who", "note", "file"])

    def attach(self, text: str, name: str, content: bytes) -> None:
        """Keep a file with a note in the run's folder, on record."""
        self.open()
        folder = private_folder(self.folder / "files")
        kept = folder / f"{len(list(folder.iterdir())) + 1}-{Path(name).name}"
        private(kept).write_bytes(content)
        self.journal.write("note", text=text, file=str(kept.relative_to(self.folder)))

    def unlock(self, server: str) -> None:
        """Break the lock of another run on a server, on record."""
        self.open()
        self.journal.write("unlocked", server=server, holder=self.servers.unlock(server).splitlines())

    def end(self, event: str, **facts: Any) -> None:
        """The run is over, for this reason: the probe ends, the servers' locks are given back."""
        self.probe.stop()
        if self._lock:
            self._lock.release()
        self.journal.write(event, **facts)

    def close(self) -> None:
        self.probe.stop()
        if self._lock:
            self._lock.leave()
        self.servers.close()

    def way_back(self) -> Any:
        """Whether one can go back from each phase, how, and what it costs."""
        run = self._called if self.journal.last("opened") else "RUN"
        return tables.table(way_back_rows(self.procedure, self.journal, run))

    def open(self) -> None:
        """Write into the journal that it is opened, and take up what it says of the servers."""
        self.journal.reload()
        if self._opened:
            return
        if self.journal.torn:
            self.show(tables.sentence(_(TORN)))
        refuse_changes(self.procedure, self.journal, self.settings)
        self._opened = True
        again = list(reopen_changed(self.procedure, self.journal, self.settings))
        settings = {name: value for name, value in vars(self.settings).items() if name != "answers"}
        self.journal.write("opened", procedure=self.procedure.name, version=__version__, settings=settings)
        for said in again:
            self.show(tables.sentence(said))
        if kernel.is_alone():
            self.show(tables.sentence(_(ALONE)))
        for pinned in self.journal.events("pinned"):
            self.servers.pin(pinned["server"], pinned["machine"])
        for moved in self.journal.events("moved"):
            self.servers.reach(moved["server"], moved["address"], moved.get("via", ""))

    def is_beyond(self, step: Step) -> bool:
        names = [phase.name for phase in self.procedure.phases]
        through = self.settings.through
        return bool(through) and names.index(step.phase.name) > names.index(through)

    def _in_order(self, step: Step) -> None:
        for earlier in self.procedure.steps[: self.procedure.steps.index(step)]:
            labels = self._labels(earlier, again=False)
            if not labels or not all(map(self.is_done, labels)):
                text = _("“{step}” comes after “{earlier}”, which is not done: run that cell first")
                raise Stopped(text.format(step=_(step.title), earlier=_(earlier.title)))

    def is_done(self, label: str) -> bool:
        return self.journal.standing("step done", step=label) is not None

    def _labels(self, step: Step, again: bool) -> list[str]:
        """The names in the journal of a step's passes: those that are done, then those still to do."""
        if not step.passes:
            return [step.name]
        made = sum(
            line["step"].startswith(f"{step.name}.") and self.journal.stands(line)
            for line in self.journal.events("step done")
        )
        wanted = max(step.passes(self.settings), made + again)
        if made and self.has_moved_on(step):
            if again:
                text = _("“{step}” may not be repeated: a later phase has begun")
                raise Stopped(text.format(step=_(step.title)))
            wanted = made
        return [f"{step.name}.{number}" for number in range(1, wanted + 1)]

    def has_moved_on(self, step: Step) -> bool:
        steps = self.procedure.steps
        later = {one.name for one in steps[steps.index(step) :] if one.phase != step.phase}
        begun = self.journal.events("started")
        return any(step_of(line) in later and changes_a_server(line) for line in begun)

    def do(self, step: Step, label: str) -> None:
        """Do a step under this name in the journal. Raise what stops it."""
        if step.phase.downtime:
            warm.refuse_over_budget(self)
            self._foretell()
            self.probe.start()
        self.journal.write("step started", step=label, title=step.title, phase=step.phase.name)
        screen = live.Live(step.title, self._actions(step, label), self.folder / "logs")
        screen.draw()
        performer = self._performer(screen)
        self.doing = step
        try:
            with self._locked(step):
                for batch in batches(step, self.settings, label):
                    self._refuse(step, self._side_by_side(performer, step, batch, screen))
        except KeyboardInterrupt:
            screen.close("interrupted")
            self.show(self.table(step))
            raise Interrupted(self._interrupted(step)) from None
        except BmnbError:
            screen.close("failed")
            self.show(self.table(step))
            if any(item_rows(self.journal, step)):
                self.show(self.items(step))
            raise
        finally:
            self.doing = None
        screen.close("done")
        self.journal.write("step done", step=label)

    def _foretell(self) -> None:
        """Put on record, before the first stop, what a past run of about this size took."""
        if not self.journal.last("forecast") and (
            told := forecast.expected(self.procedure, self.journal, self.folder, self.own_time())
        ):
            self.journal.write("forecast", **told)

    def _actions(self, step: Step, label: str) -> dict[str, Single]:
        return {key: one for batch in batches(step, self.settings, label) for key, one in batch}

    def _performer(self, screen: live.Live) -> Performer:
        answers = {**self.settings.answers, **self.typed}
        return Performer(
            self.servers, self.journal, Logs(self.folder / "logs"), self._name(), answers, screen.jobs
        )

    @property
    def _called(self) -> str:
        """The run as a command names it, from wherever it is given."""
        return shlex.quote(str(self.folder.resolve()))

    def _name(self) -> str:
        """The run's name on the servers: its first line is its alone, also where another has the same folder name."""
        return str(self.journal.lines[0]["sha256"])[:12]

    def _locked(self, step: Step) -> AbstractContextManager[object]:
        """The lock of the servers that a step works on; steps that only look need none."""
        actions = singles(step.actions(self.settings))
        if not any(isinstance(one, Command) or (isinstance(one, Call) and not one.judge) for one in actions):
            return nullcontext()
        if self._lock is None:
            folder = getattr(self.settings, "work", "")
            self._lock = Lock(self.servers, self.journal, self._name(), self.folder.resolve().name, folder)
        hosts = [(one.host,) if isinstance(one.host, str) else one.host for one in actions]
        self._lock.take(dict.fromkeys(host for some in hosts for host in some), self._let_go(step))
        return self._lock

    def _let_go(self, step: Step) -> set[str]:
        """The servers that a command of the step has put out of reach; on the way back, one of any step."""
        back = rolling_back(self.journal) is not None
        steps = self.procedure.steps if back else (step,)
        return {
            one.host
            for some in steps
            for key, one in self._actions(some, some.name).items()
            if isinstance(one, Command) and one.farewell and self.journal.standing("started", action=key)
        }

    def _side_by_side(
        self, performer: Performer, step: Step, batch: list[Numbered], screen: live.Live
    ) -> list[Outcome]:
        ended = list[Outcome]()

        def job(numbered: Numbered) -> Outcome:
            ended.append(performer.perform(step.once, numbered))
            return ended[-1]

        # observations one by one, where no user waits for them
        workers = len(batch) if _commands(batch) or step.phase.downtime else 1

        def interrupt() -> None:
            # what runs on the servers goes on where a kernel is restarted or shut down
            if not kernel.is_ending():
                performer.interrupted.set()

        jobs = [partial(job, one) for one in batch]
        try:
            return attend(jobs, workers, screen.draw, interrupt, live.SCREEN_SECONDS)
        except ActionFailed as error:
            # a lost connection is told with what failed beside it, which may be its cause
            self._refuse(step, ended, str(error))
            raise

    def _refuse(self, step: Step, outcomes: list[Outcome], lost: str = "") -> None:
        """Raise what has failed; where an earlier proof no longer holds, its step and those after it are reopened."""
        refuted = [one for one in outcomes if one.reopens]
        if not refuted:
            refuse(step, outcomes, lost)
            return
        steps = self.procedure.steps
        first = min(
            number for number, each in enumerate(steps) for one in refuted if each.name == one.reopens
        )
        reopened = steps[first:]
        why = "; ".join(one.seen for one in refuted)
        self.journal.write("reopened", steps=[one.name for one in reopened], why=why)
        text = _(
            "The run goes back to “{step}”: the same command, or that cell, does it and what follows anew."
        )
        refuse(step, outcomes, lost, text.format(step=_(reopened[0].title)))

    def _interrupted(self, step: Step) -> str:
        cut = _("Users are cut off until the procedure is at its end.") if step.phase.downtime else ""
        text = _(
            "“{title}” was interrupted: what ran on the servers is stopped, what the table shows as done stays done."
        )
        after = _("→ run this cell again: it goes on from here")
        return "\n".join(filter(None, [text.format(title=_(step.title)), cut, after]))


def over(journal: Journal) -> str:
    """What is said where a run that is at its end is run again; empty where it is not."""
    ended = journal.last("finished")
    if ended is None or rolling_back(journal):
        return ""
    text = _("This run is done already, since {time} UTC: nothing was done.")
    return text.format(time=ended["time"][:19].replace("T", " "))


def parameter_rows(settings: Any) -> Iterator[Row]:
    """A row for each parameter but the answers, which stand where they are asked."""
    for field in ordered(settings):
        if field.name not in ("answers", "folder", "runs"):
            value = getattr(settings, field.name)
            yield {
                "parameter": field.name,
                "value": ", ".join(value) if isinstance(value, list) else value,
                "meaning": about(field, "help"),
            }


def batches(step: Step, settings: Any, label: str) -> Iterator[list[Numbered]]:
    """The actions of a step with their keys: observations in a row are judged at once, the rest one by one.

    Those of a Together run side by side.
    """
    number, observed = 0, list[Numbered]()
    for action in step.actions(settings):
        group = list(action.actions) if isinstance(action, Together) else [action]
        numbered: list[Numbered] = [(f"{label}/{number + place}", one) for place, one in enumerate(group, 1)]
        number += len(group)
        if _is_observation(action):
            observed += numbered
            continue
        if observed:
            yield observed
            observed = []
        yield numbered
    if observed:
        yield observed


def _is_observation(action: object) -> bool:
    return isinstance(action, Check) or (isinstance(action, Call) and action.judge is not None)


def _commands(batch: list[Numbered]) -> bool:
    return not any(isinstance(action, Check | Call | Manual) for _, action in batch)


def refuse(step: Step, outcomes: list[Outcome], lost: str = "", after: str = "") -> None:
    """Raise one error for all that failed: Stopped where a person can mend it, ActionFailed after a command.

    `lost` is what ended another action beside them, `after` how it goes on, if not from here.
    """
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    if not failed:
        return
    messages = [outcome.message for outcome in failed] + ([lost] if lost else [])
    text = f"{_(step.title)}:\n" + "\n".join(f"- {message}" for message in messages)
    waits = not lost and all(_is_observation(one.action) or isinstance(one.action, Manual) for one in failed)
    after = after or _("The same command or cell goes on from here.")
    raise (Stopped if waits else ActionFailed)(f"{text}\n{after}")
