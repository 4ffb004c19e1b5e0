"""What a report says of a run, as rows: all of it is read from the journal and from the probes' record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from bmnb import ledger, probe
from bmnb.errors import InputError
from bmnb.journal import Journal, Line
from bmnb.report.entries import OF_THE_RECORD, Entry, Stretch, entries, moment, stretches
from bmnb.report.wording import Bytes, Code, Rate, Seconds, Word
from bmnb.rollback import ROLLBACK
from bmnb.steps import Phase, Procedure, Row


@dataclass(frozen=True)
class Facts:
    """The facts of one run. `folder` is the run's; `procedure` is the one that its journal names."""

    folder: Path
    journal: Journal
    procedure: Procedure

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @cached_property
    def entries(self) -> list[Entry]:
        return entries(self.journal.lines)

    @cached_property
    def stretches(self) -> list[Stretch]:
        return stretches(self.journal.lines)

    @cached_property
    def settings(self) -> dict[str, Any]:
        return dict(self._last("opened")["settings"])

    @property
    def version(self) -> str:
        return str(self._last("opened")["version"])

    @property
    def began(self) -> datetime:
        return moment(self.journal.lines[0])

    @property
    def ended(self) -> datetime:
        """When the procedure was finished, or the time of the last thing that happened."""
        happened = [line for line in self.journal.lines if line["event"] not in OF_THE_RECORD]
        return moment(self.journal.last("finished") or (happened or self.journal.lines)[-1])

    @property
    def head(self) -> Line:
        return self.journal.lines[-1]

    @property
    def operators(self) -> list[str]:
        return list(dict.fromkeys(line["who"] for line in self.journal.lines))

    @property
    def finished(self) -> bool:
        return self.journal.last("finished") is not None

    @property
    def rolled_back(self) -> bool:
        return self.journal.last("rolled back") is not None

    @property
    def state(self) -> str:
        """finished, rolled back, stopped (it says why), or open: under way, or ended with nobody left to say."""
        if self.rolled_back:
            return "rolled back"
        if self.finished:
            return "finished"
        return "stopped" if self.stopped_by else "open"

    # where the run stands

    @cached_property
    def standing(self) -> Entry | None:
        """The action at which an unfinished run stands: failed, or without an end."""
        return next((one for one in reversed(self.entries) if one.status in ("failed", "started")), None)

    @property
    def reached(self) -> Stretch | None:
        return self.stretches[-1] if self.stretches else None

    @property
    def stopped_by(self) -> str:
        """Why the headless run ended before its notebook did, where it says so."""
        told = [line for line in self.journal.lines if line["event"] in ("opened", "stopped", "finished")][-1]
        return str(told.get("why", ""))

    @cached_property
    def cut(self) -> tuple[Line | None, Line | None]:
        """The first stop of the service, and the line from which on it answers."""
        return ledger.downtime(self.procedure, self.journal)

    @property
    def downtime(self) -> Seconds | None:
        """From the first stop to the service answering; None where either is missing."""
        return _seconds(ledger.downtime_seconds(self.procedure, self.journal))

    @property
    def forecast(self) -> Line:
        """What a past run of about this size took, as it was told before the first stop; empty where none was."""
        return self.journal.last("forecast") or {}

    @cached_property
    def verifications(self) -> list[Entry]:
        return [one for one in self.entries if one.kind in ("check", "call") and one.status != "skipped"]

    @property
    def unfinished(self) -> list[Entry]:
        """The actions that failed, or of which nobody knows how they ended."""
        return [one for one in self.entries if one.status in ("failed", "started")]

    @property
    def accepted(self) -> list[Entry]:
        """The checks that do not hold and were accepted on record."""
        return [one for one in self.verifications if one.seen.startswith("accepted by ")]

    @property
    def silent(self) -> list[str]:
        """The ports that have not answered again."""
        return [str(row["port"]) for row in self.outages if row["misses"] and not row["answers again"]]

    @property
    def probes(self) -> Path:
        return self.folder / "logs" / "probe.csv"

    # the tables, by their names as files

    def tables(self) -> dict[str, list[Row]]:
        return {
            "servers": self.servers,
            "phases": self.phases,
            "steps": self.steps,
            "passes": self.passes,
            "trees": self.trees,
            "downtime": self.outages,
            "checks": self.checks,
            "items": self.items,
            "manual": self.manual,
            "notes": self.notes,
            "commands": self.commands,
        }

    @property
    def way_back(self) -> list[Row]:
        """Whether one can go back from each phase, how, and what it costs."""
        rows = ledger.way_back_rows(self.procedure, self.journal)
        words = ("phase", "now", "back", "what it does", "what it costs")
        return [{name: Word(row[name]) for name in words} for row in rows]

    @cached_property
    def servers(self) -> list[Row]:
        """Each server: which machine it is and what was last done on it."""
        rows = list[Row]()
        for pinned in self.journal.events("pinned"):
            done = [
                one
                for one in self.entries
                if one.kind == "command" and one.server == pinned["server"] and one.status != "skipped"
            ]
            last = max(done, key=lambda one: one.began, default=None)
            rows.append(
                {
                    "server": pinned["server"],
                    "system": pinned.get("system", ""),
                    "machine-id": pinned["machine"],
                    "host key": pinned["host_key"],
                    "last command": Word(last.title if last else ""),
                    "how it ended": Word(last.status) if last else "",
                    "at": (last.ended or last.began) if last else "",
                }
            )
        return rows

    @cached_property
    def phases(self) -> list[Row]:
        names = {phase.name: phase for phase in (*self.procedure.phases, ROLLBACK)}
        found = [
            (phase, [part for part in self.stretches if part.phase == name]) for name, phase in names.items()
        ]
        return [
            {
                "phase": Word(phase.title),
                "began": parts[0].began,
                "ended": parts[-1].ended,
                "duration": Seconds(sum(part.seconds for part in parts)),
                "forecast": _seconds(self.forecast.get("phases", {}).get(phase.name)),
                "users cut off": Word("yes" if phase.downtime else "no"),
                "status": Word(self._status(phase, parts)),
            }
            for phase, parts in found
            if parts
        ]

    def _status(self, phase: Phase, parts: list[Stretch]) -> str:
        done = {name_of(str(line["step"])) for line in self.journal.events("step done")}
        steps = {step.name for step in self.procedure.steps if step.phase == phase}
        whole = steps <= done if steps else self.rolled_back
        return "done" if whole else parts[-1].status

    @cached_property
    def steps(self) -> list[Row]:
        """The steps in their order in time; one that was taken up again is there more than once."""
        titles = {phase.name: phase.title for phase in (*self.procedure.phases, ROLLBACK)}
        return [
            {
                "step": Word(part.title),
                "pass": number_of(part.step),
                "phase": Word(titles[part.phase]),
                "began": part.began,
                "duration": Seconds(part.seconds),
                "status": Word(part.status),
            }
            for part in self.stretches
        ]

    @cached_property
    def passes(self) -> list[Row]:
        """A row a pass over the files: how long, how many, how much, how fast."""
        rows = list[Row]()
        for step in dict.fromkeys(one.step for one in self._counted):
            made = [one.row for one in self._counted if one.step == step]
            part = next(part for part in reversed(self.stretches) if part.step == step)
            moved = sum(row.get("line bytes", 0) for row in made)
            rows.append(
                {
                    "step": Word(part.title),
                    "pass": number_of(step),
                    "began": part.began,
                    "duration": Seconds(part.seconds),
                    "files": sum(row["files"] for row in made),
                    "transferred": sum(row.get("transferred", 0) for row in made),
                    "deleted": sum(row.get("deleted", 0) for row in made),
                    "size": Bytes(sum(row.get("bytes", 0) for row in made)),
                    "over the line": Bytes(moved),
                    "throughput": Rate(moved / part.seconds) if part.seconds else "",
                }
            )
        return rows

    @cached_property
    def trees(self) -> list[Row]:
        """A row a tree, as its last pass left it."""
        last = {one.title: one for one in self._counted}
        return [
            {
                "tree": Word(title),
                "files": one.row["files"],
                "size": Bytes(one.row.get("bytes", 0)),
                "transferred in the last pass": one.row.get("transferred", 0),
                "over the line in the last pass": Bytes(one.row.get("line bytes", 0)),
                "duration": Seconds(one.seconds),
            }
            for title, one in last.items()
        ]

    @cached_property
    def _counted(self) -> list[Entry]:
        """The commands that counted files."""
        return [one for one in self.entries if one.row.get("files") and one.status == "done"]

    @cached_property
    def outages(self) -> list[Row]:
        """What the probes from outside saw of each port."""
        return [{**row, "seconds away": Seconds(row["seconds away"])} for row in probe.rows(self.probes)]

    @cached_property
    def checks(self) -> list[Row]:
        titles = {step.name: step.title for step in self.procedure.steps}
        return [
            {
                "step": Word(titles.get(name_of(one.step), one.step)),
                "server": one.server,
                "what must hold": Word(one.title),
                "seen": Word(one.seen.splitlines()[0] if one.seen else ""),
                "status": Word(one.status),
            }
            for one in self.verifications
        ]

    @cached_property
    def items(self) -> list[Row]:
        """What checks saw item by item, such as what differs; the columns are those of the first."""
        rows = [{"check": Word(one.title), **item} for one in self.verifications for item in one.items]
        return [{name: row.get(name, "") for name in rows[0]} for row in rows]

    @cached_property
    def manual(self) -> list[Row]:
        """What persons confirmed or did: their answer, who gave it, and when."""
        answers = {line["answer"]: line for line in self.journal.events("answer")}
        return [
            {
                "what": Word(one.title),
                "server": one.server,
                "answer": one.seen,
                "who": answers[one.seen]["who"] if one.seen in answers else "",
                "at": one.ended or one.began,
                "status": Word(one.status),
            }
            for one in self.entries
            if one.kind == "manual" and one.status != "skipped"
        ]

    @cached_property
    def notes(self) -> list[Row]:
        return [
            {"at": moment(line), "who": line["who"], "note": line["text"], "file": line.get("file", "")}
            for line in self.journal.events("note")
        ]

    @cached_property
    def commands(self) -> list[Row]:
        return [
            {
                "began": one.began,
                "server": one.server,
                "what": Word(one.title),
                "command": Code(one.line),
                "exit": "" if one.exit is None else one.exit,
                "duration": Seconds(one.seconds),
                "status": Word(one.status),
            }
            for one in self.entries
            if one.kind in ("command", "call") and one.line
        ]

    def _last(self, event: str) -> Line:
        line = self.journal.last(event)
        assert line is not None
        return line


def _seconds(value: float | None) -> Seconds | None:
    return None if value is None else Seconds(value)


def name_of(label: str) -> str:
    """A step's name, given its name in the journal, which may have the number of a pass."""
    return label.split(".")[0]


def number_of(label: str) -> int | str:
    """The number of a pass, given a step's name in the journal; empty where it has none."""
    return int(label.split(".")[1]) if "." in label else ""


def gather(folder: Path, find: Callable[[str], Procedure]) -> Facts:
    """The facts of a run's folder. Raise InputError where it has no run; `find` gets a procedure's name."""
    journal = Journal(folder / "journal.jsonl")
    opened = journal.last("opened")
    if opened is None:
        raise InputError(f"{folder} has no run in its journal")
    return Facts(folder, journal, find(opened["procedure"]))
