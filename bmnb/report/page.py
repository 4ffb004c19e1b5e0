"""What the report's page shows that is not a table as it is: contents, charts, texts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bmnb import probe
from bmnb.language import _, current
from bmnb.report import charts, summary, wording
from bmnb.report.clean import cells
from bmnb.report.entries import sessions, together
from bmnb.report.facts import Facts, number_of
from bmnb.report.rows import Rows
from bmnb.report.wording import Word
from bmnb.steps import Row
from bmnb.stretches import Stretch, moment

SITTINGS = 12
ALL_ITEMS = 2000
TEMPLATES = Path(__file__).parent / "template"


@dataclass(frozen=True)
class Words:
    """How a report calls itself and what is accepted with it."""

    kind: str
    acceptance: str
    accepted: str


MIGRATION = Words(
    "Migration report",
    "Acceptance of the migration",
    "The migration of {client} described in this report is:",
)
UPDATE = Words(
    "Update report", "Acceptance of the update", "The update of {client} described in this report is:"
)


@dataclass(frozen=True)
class Comparison:
    """Another run's name, and the rows that set this run beside it."""

    name: str
    rows: list[Row]


@dataclass(frozen=True)
class Page:
    """What the template shows that is not a table of the facts as they are.

    `most` rows of a table at the most, and so many bars of a chart: the rest stands in the tables' files.
    """

    facts: Facts
    made: str
    against: Comparison | None = None
    most: int = 500
    bars: int = 60

    @property
    def language(self) -> str:
        return current()

    @property
    def title(self) -> str:
        return f"{_(self.words.kind)} · {self.facts.name}"

    @property
    def words(self) -> Words:
        return MIGRATION if "target" in self.facts.settings else UPDATE

    @property
    def style(self) -> str:
        return (TEMPLATES / "bmnb" / "style.css").read_text(encoding="utf-8")

    @property
    def zone(self) -> str:
        return wording.zone(self.facts.began)

    @property
    def contents(self) -> list[tuple[str, str]]:
        return [
            ("timeline", _("Timeline")),
            ("data", _("Data")),
            ("downtime", _("Downtime")),
            ("checks", _("What was verified")),
            ("changes", _("Configuration differences")),
            *([("accepted", _("Accepted differences"))] if self.rows.accepted else []),
            ("manual", _("Confirmations and manual steps")),
            ("notes", _("Operator's notes")),
            ("deviations", _("Deviations from BlueMind's document")),
            *([("against", self.beside)] if self.against else []),
            ("acceptance", _(self.words.acceptance)),
            ("proof", _("How to check this report")),
            ("commands", _("Appendix: all commands")),
            *([("items", _("Appendix: seen item by item"))] if self.rows.items else []),
            ("notebook", _("Appendix: the executed notebook")),
        ]

    @property
    def beside(self) -> str:
        """The heading of the comparison with another run."""
        return _("Compared with {run}").format(run=self.against.name) if self.against else ""

    @cached_property
    def rows(self) -> Rows:
        return Rows(self.facts)

    @property
    def verdict(self) -> summary.Verdict:
        return summary.verdict(self.facts)

    @property
    def summary(self) -> list[tuple[str, Any]]:
        return summary.summary(self.facts)

    @cached_property
    def open_points(self) -> list[str]:
        return summary.open_points(self.facts)

    @cached_property
    def left(self) -> list[str]:
        return summary.left(self.facts)

    @property
    def downtime(self) -> list[Row]:
        stopped, answers = self.facts.cut
        if stopped is None:
            return []
        row = {
            "first stop": moment(stopped),
            "service answers": moment(answers) if answers else Word("not yet"),
            "planned": self.facts.planned,
            "forecast": summary.forecast(self.facts),
            "by the run": self.facts.forecast.get("run"),
            "measured": self.facts.downtime,
        }
        return [{name: value for name, value in row.items() if value is not None}]

    @cached_property
    def timelines(self) -> list[str]:
        """A chart a sitting, of the last ones where there are many."""
        return [
            charts.timeline(self._bars(sitting))
            for sitting in list(sessions(self.facts.stretches))[-SITTINGS:]
        ]

    def _bars(self, sitting: list[Stretch]) -> list[charts.Span]:
        """A bar a step; its passes have one together where there are many."""
        cut = {phase.name for phase in self.facts.procedure.phases if phase.downtime}
        if len(sitting) > self.bars:
            sitting = together(sitting)[-self.bars :]
        return [
            (label(one.title, number_of(one.step)), one.began, one.ended, one.phase in cut) for one in sitting
        ]

    @cached_property
    def passes(self) -> str:
        made = [
            (label(row["step"], row["pass"]), row["duration"], row["line bytes"] or 0)
            for row in self.rows.passes[-self.bars :]
        ]
        return charts.passes(made) if made else ""

    @cached_property
    def items(self) -> list[tuple[Word, list[Row], int]]:
        """Of each check the first items, and how many there are; of all checks together not too many."""
        shown, left = list[tuple[Word, list[Row], int]](), ALL_ITEMS
        for check, rows in self.rows.items.items():
            first = rows[: min(self.most, left)]
            left -= len(first)
            if first:
                shown.append((check, first, len(rows)))
        return shown

    @property
    def unshown(self) -> int:
        """How many checks have items of which the page shows none."""
        return len(self.rows.items) - len(self.items)

    @cached_property
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
        return _(self.words.accepted).format(client=self.facts.settings["client"])


def label(title: str, number: int | str) -> str:
    """A step's title with the number of its pass where it has one."""
    return f"{_(title)} ({number})" if number else _(title)
