"""The report as one HTML file that needs nothing from the network, made by nbconvert with our template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bmnb import probe, redact
from bmnb.journal import Line
from bmnb.language import _, current
from bmnb.phrases import phrase
from bmnb.report import charts, wording
from bmnb.report.clean import cells, clean
from bmnb.report.entries import Entry, moment, sessions
from bmnb.report.facts import Facts, number_of
from bmnb.report.wording import Seconds, Word
from bmnb.steps import Row

TEMPLATES = Path(__file__).parent / "template"


@dataclass(frozen=True)
class Verdict:
    """What the top of the report says; `kind` is done or unfinished."""

    kind: str
    title: str
    text: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Another run's name, and the rows that set this run beside it."""

    name: str
    rows: list[Row]


@dataclass(frozen=True)
class Page:
    """What the template shows that is not a table of the facts as they are; `most` rows of items at the most."""

    facts: Facts
    made: str
    against: Comparison | None = None
    most: int = 500

    @property
    def language(self) -> str:
        return current()

    @property
    def title(self) -> str:
        return f"{_('Migration report')} · {self.facts.name}"

    @property
    def style(self) -> str:
        return (TEMPLATES / "bmnb" / "style.css").read_text(encoding="utf-8")

    @property
    def zone(self) -> str:
        return wording.zone(self.facts.began)

    @property
    def contents(self) -> list[tuple[str, str]]:
        found = [
            ("timeline", _("Timeline")),
            ("data", _("Data")),
            ("downtime", _("Downtime")),
            ("checks", _("What was verified")),
            ("manual", _("Confirmations and manual steps")),
            ("notes", _("Operator's notes")),
            ("deviations", _("Deviations from BlueMind's document")),
            ("acceptance", _("Acceptance")),
            ("proof", _("How to check this report")),
            ("commands", _("Appendix: all commands")),
            ("notebook", _("Appendix: the executed notebook")),
        ]
        if self.against:
            found.insert(7, ("against", _("Compared with {run}").format(run=self.against.name)))
        return found

    @property
    def verdict(self) -> Verdict:
        facts = self.facts
        failed = [one for one in facts.verifications if one.status != "done"]
        if facts.rolled_back:
            text = _("The run was undone; the way it went is below.")
            return Verdict("unfinished", _("Rolled back."), text)
        if facts.finished:
            text = _("Every step was done; all {number} checks hold.").format(number=len(facts.verifications))
            if failed:
                text = _("Every step was done; {number} checks do not hold.").format(number=len(failed))
            return Verdict("done", _("Done."), text)
        where = facts.reached
        text = (
            _("The run stands at “{step}”, since {time}.").format(
                step=_(where.title), time=wording.clock(where.ended)
            )
            if where
            else _("No step was begun.")
        )
        return Verdict("unfinished", _("Unfinished."), text, tuple(self._unfinished()))

    def _unfinished(self) -> list[str]:
        facts = self.facts
        stopped, answers = facts.cut
        found = [phrase(facts.stopped_by)] if facts.stopped_by else []
        if stopped is None:
            return [*found, _("The service was not stopped by this run.")]
        if answers is None:
            return [*found, _("Users have been cut off since {time}.").format(time=_at(stopped))]
        return [*found, _("The service answers since {time}.").format(time=_at(answers))]

    @property
    def open_points(self) -> list[str]:
        """What somebody still has to look at."""
        facts = self.facts
        return [
            *(
                f"{phrase(one.title)} ({one.server}): {how(one)}"
                for one in (*facts.unfinished, *facts.accepted)
            ),
            *(_("{port} has not answered again").format(port=port) for port in facts.silent),
        ]

    @property
    def summary(self) -> list[tuple[str, Any]]:
        facts, settings = self.facts, self.facts.settings
        versions = [
            one.seen.splitlines()[0] for one in facts.verifications if "version" in one.title and one.seen
        ]
        names = {"client": _("Client"), "origin": _("Origin"), "target": _("Target"), "core": _("Server")}
        rows = [
            (_("Procedure"), _(facts.procedure.title)),
            *((title, settings.get(name, "")) for name, title in names.items()),
            (_("Other servers"), ", ".join(settings.get("servers", []))),
            (_("Address"), settings.get("address", "")),
            (_("Began"), wording.universal(facts.began)),
            (_("Ended") if facts.finished else _("Last entry"), wording.universal(facts.ended)),
            (_("Run by"), ", ".join(facts.operators)),
            (_("Downtime forecast"), self.forecast),
            (_("Downtime measured"), facts.downtime),
            (_("Versions"), "; ".join(map(phrase, dict.fromkeys(versions)))),
        ]
        return [(name, value) for name, value in rows if value]

    @property
    def forecast(self) -> Seconds | None:
        told = self.facts.forecast.get("downtime")
        return None if told is None else Seconds(told)

    @property
    def downtime(self) -> list[Row]:
        stopped, answers = self.facts.cut
        if stopped is None:
            return []
        row = {
            "first stop": moment(stopped),
            "service answers": moment(answers) if answers else Word("not yet"),
            "forecast": self.forecast,
            "by the run": self.facts.forecast.get("run"),
            "measured": self.facts.downtime,
        }
        return [{name: value for name, value in row.items() if value is not None}]

    @property
    def timelines(self) -> list[str]:
        cut = {phase.name for phase in self.facts.procedure.phases if phase.downtime}
        return [
            charts.timeline(
                [
                    (label(one.title, number_of(one.step)), one.began, one.ended, one.phase in cut)
                    for one in sitting
                ]
            )
            for sitting in sessions(self.facts.stretches)
        ]

    @property
    def passes(self) -> str:
        made = [
            (label(row["step"], row["pass"]), row["duration"], row["over the line"])
            for row in self.facts.passes
        ]
        return charts.passes(made) if made else ""

    @property
    def outages(self) -> str:
        seen = probe.read(self.facts.probes)
        if not seen:
            return ""
        stopped, answers = self.facts.cut
        cut = (moment(stopped), moment(answers)) if stopped and answers else None
        spells = {port: probe.spells(seen[port]) for port in sorted(seen)}
        return charts.outages(spells, cut, self.facts.began.tzinfo)

    @property
    def deviations(self) -> list[Row]:
        """The table as it stands in the notebook, which is translated as a whole."""
        rows = [f"| {one.document} | {one.here} | {one.reason} |" for one in self.facts.procedure.deviations]
        table = _("\n".join(["| document | here | reason |", "| --- | --- | --- |", *rows]))
        names = ("document", "here", "reason")
        return [dict(zip(names, cells(line), strict=True)) for line in table.splitlines()[2:]]

    @property
    def ends(self) -> dict[str, str]:
        """What is said of a cell that was not completed, by papermill's word for it."""
        return {
            "failed": _("This cell failed."),
            "running": _("This cell was begun; nobody was left to say how it ended."),
            "pending": _("This cell was not begun."),
        }

    @property
    def acceptance(self) -> str:
        return _("The migration of {client} described in this report is:").format(
            client=self.facts.settings["client"]
        )


def render(page: Page, notebook: Path, change: Callable[[str], str]) -> str:
    """The page as HTML, with the executed notebook where there is one; `change` gets the whole text."""
    # slow to import, and whoever asks for the verdict alone needs none of it
    import nbformat
    from nbconvert import HTMLExporter
    from nbconvert.filters import strip_ansi
    from traitlets.config import Config

    book = nbformat.from_dict({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    if notebook.exists():
        book = nbformat.from_dict(redact.facts(nbformat.read(notebook, as_version=4)))
    exporter = HTMLExporter(
        config=Config(
            {
                "HTMLExporter": {
                    "template_name": "bmnb",
                    "extra_template_basedirs": [str(TEMPLATES)],
                    "exclude_input_prompt": True,
                    "exclude_output_prompt": True,
                    "filters": {
                        "kind": wording.kind,
                        "cell": wording.cell,
                        "plain": strip_ansi,
                        "clean": clean,
                    },
                }
            }
        )
    )
    exporter.environment.globals |= {"_": _, "run": page}
    html, _resources = exporter.from_notebook_node(book)
    return change(str(html))


def label(title: str, number: int | str) -> str:
    """A step's title with the number of its pass where it has one."""
    return f"{_(title)} ({number})" if number else _(title)


def how(entry: Entry) -> str:
    """How an action ended, or that nobody knows, and what may still run."""
    if entry.status != "started":
        return phrase(entry.seen or entry.status)
    unit = _("it may still run in unit {unit}").format(unit=entry.unit) if entry.unit else ""
    return "; ".join(filter(None, [_("started, its end is not known"), unit]))


def _at(line: Line) -> str:
    return wording.clock(moment(line))
