"""Where each client of a fleet stands: from the fleet's state and the runs' journals, never from Dask."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from IPython.display import HTML, display

from bmnb import forecast, procedures, tables
from bmnb.errors import InputError
from bmnb.fleet.course import Course
from bmnb.fleet.store import PLANNED, STARTED, Client, Store
from bmnb.fleet.wishes import Wishes
from bmnb.language import _, use
from bmnb.ledger import checklist_rows, pass_rows
from bmnb.phrases import phrase
from bmnb.report import charts, wording
from bmnb.report.facts import Facts, gather
from bmnb.report.summary import verdict
from bmnb.report.wording import Seconds, Word
from bmnb.steps import Procedure, Row
from bmnb.stretches import moment

COLUMNS = (
    *("client", "state", "why", "phase", "steps", "window", "last hot pass"),
    *("forecast", "downtime", "verdict", "notebook", "report"),
)


class Board:
    """The tables and the chart of the fleet in a folder of runs."""

    def __init__(self, runs: str | Path, language: str = "en") -> None:
        self.store = Store(Path(runs))
        use(language)

    @property
    def procedure(self) -> Procedure | None:
        """The procedure of the fleet; None where there is no fleet."""
        told = self.store.told() if self.store.exists else {}
        return procedures.named(told["procedure"]) if told else None

    def rows(self) -> list[Row]:
        """A row for each client; values are what a report's tables have."""
        procedure = self.procedure
        return [self._row(procedure, one) for one in self.store.clients()] if procedure else []

    def clients(self) -> Any:
        """The same as a table, with links to notebook and report."""
        rows = [{name: self._cell(name, value) for name, value in row.items()} for row in self.rows()]
        return tables.linked(tables.table(rows, list(COLUMNS)), "notebook", "report")

    @property
    def open(self) -> bool:
        """Whether a run is under way, or still to be started."""
        return any(row["state"] in (PLANNED, STARTED) for row in self.rows())

    def text(self) -> str:
        """The same for a terminal, with what is wrong below."""
        kept = [name for name in COLUMNS if name not in ("why", "verdict", "notebook", "report")]
        rows = self.rows()
        shown = tables.table([{name: wording.cell(row[name]) for name in kept} for row in rows], kept)
        return "\n".join(
            [shown.to_string(), *(f"{row['client']}: {row['why']}" for row in rows if row["why"])]
        )

    def plain(self) -> list[Row]:
        """The same for a program: seconds as numbers; with what each run has cost the machine it ran on."""
        costs = [{"cpu_seconds": one.cpu_seconds, "peak_mib": one.peak_mib} for one in self.store.clients()]
        rows = [{name: _plain(value) for name, value in row.items()} for row in self.rows()]
        return [{**row, **cost} for row, cost in zip(rows, costs, strict=True)]

    def counts(self) -> Any:
        """How many clients are in each state."""
        found = [str(row["state"]) for row in self.rows()]
        rows = ({"state": one, "clients": found.count(one)} for one in dict.fromkeys(found))
        return tables.table(rows, ["state", "clients"])

    def notices(self) -> Any:
        """The notices that were sent, and those that could not be."""
        columns = ["client", "kind", "way", "time", "problem"]
        return tables.table(self.store.notices() if self.store.exists else [], columns)

    def chart(self) -> Any:
        """The clients over time: windows, runs, and how long users were cut off."""
        lanes = self.lanes()
        return HTML(charts.lanes(lanes)) if lanes else None  # type: ignore[no-untyped-call]

    def watch(self, minutes: float = 0, seconds: float = 5) -> None:
        """Show clients and chart as they change, until no run is left to wait for, so long at the most."""
        screen = display(self._screen(), display_id=True)  # type: ignore[no-untyped-call]
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end and self.open:
            time.sleep(seconds)
            screen.update(self._screen())

    def lanes(self) -> list[charts.Lane]:
        """What the chart shows of each client that has begun or has a window."""
        found = [self._lane(one) for one in self.store.clients()] if self.procedure else []
        return [lane for lane in found if lane.spans or lane.window]

    def _screen(self) -> Any:
        table = self.clients().to_html()
        lanes = self.lanes()
        return HTML(table + (charts.lanes(lanes) if lanes else ""))  # type: ignore[no-untyped-call]

    def _row(self, procedure: Procedure, client: Client) -> dict[str, Any]:
        wishes, facts = Wishes.from_json(client.wishes), facts_of(client)
        told = _progress(procedure, client, facts) if facts else dict.fromkeys(COLUMNS[3:11], "")
        away = not facts and client.began and client.machine
        return {
            "client": client.name,
            "state": Word(client.state),
            "why": brief(client.why) if client.why else self._where(client) if away else "",
            **told,
            "window": window(wishes),
            "notebook": self._link(client, "notebook.ipynb"),
            "report": self._link(client, "report.html"),
        }

    def _where(self, client: Client) -> str:
        text = _("its run is on {machine} and was not collected yet")
        return text.format(machine=client.machine) if client.machine else ""

    def _link(self, client: Client, name: str) -> str:
        path = Path(client.folder) / name
        return str(path) if path.exists() else ""

    def _lane(self, client: Client) -> charts.Lane:
        wishes, facts = Wishes.from_json(client.wishes), facts_of(client)
        if facts is None:
            return charts.Lane(client.name, (), wishes.not_before, wishes.not_after)
        stopped, answers = facts.cut
        spans = [(part.began, part.ended, False) for part in facts.stretches]
        if stopped:
            spans.append((moment(stopped), moment(answers or facts.head), True))
        return charts.Lane(client.name, tuple(spans), wishes.not_before, wishes.not_after)

    def _cell(self, name: str, value: Any) -> str:
        if name in ("notebook", "report") and value:
            href = escape(os.path.relpath(value))
            return f'<a href="{href}">{_(name)}</a>'
        return wording.cell(value)


def brief(why: str) -> str:
    """What stopped a run, in one line: what it says, and the first two of what it lists."""
    return " ".join(phrase(line.strip()) for line in why.splitlines()[:3])


def facts_of(client: Client) -> Facts | None:
    """The facts of a client's run; None where its journal is not here."""
    try:
        return gather(Path(client.folder), procedures.named)
    except InputError:
        return None


def _progress(procedure: Procedure, client: Client, facts: Facts) -> dict[str, Any]:
    """What the journal says: how far, how long the last hot pass took, how long the downtime will be and was."""
    titles = {phase.name: phase.title for phase in procedure.phases}
    wanted = [titles[name] for name in Course(procedure, client.through).phases]
    steps = [row["status"] for row in checklist_rows(procedure, facts.journal) if row["phase"] in wanted]
    made = [list(pass_rows(facts.journal, step)) for step in procedure.steps if step.passes]
    passes = next(filter(None, made), [])
    seen = forecast.synchronization(passes, datetime.now(UTC))
    return {
        "phase": Word(titles[facts.reached.phase]) if facts.reached else "",
        "steps": f"{steps.count('done')}/{len(steps)}",
        "window": "",
        "last hot pass": Seconds(passes[-1]["seconds"]) if passes else "",
        "forecast": forecast.minutes(seen.shortest, seen.longest) if seen and not facts.cut[0] else "",
        "downtime": facts.downtime if facts.downtime is not None else "",
        "verdict": f"{verdict(facts).title} {verdict(facts).text}",
    }


def window(wishes: Wishes) -> str:
    """When a client may be worked on; empty where it always may."""
    begin, end = (wording.clock(one)[:-3] if one else "…" for one in (wishes.not_before, wishes.not_after))
    return "" if begin == end else f"{begin} – {end}"


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Seconds) else str(value)
