"""What is known of a run: all of it is read from the journal and from the probes' record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from bmnb import ledger, probe
from bmnb.bluemind.subscription import ENDS
from bmnb.errors import InputError
from bmnb.journal import Journal, Line, Record
from bmnb.language import _
from bmnb.phrases import keep
from bmnb.report import wording
from bmnb.report.entries import Entry, entries
from bmnb.report.wording import Seconds
from bmnb.settings import recorded, server_names
from bmnb.steps import Procedure
from bmnb.stretches import OF_THE_RECORD, Stretch, moment, stretches


@dataclass(frozen=True)
class Facts:
    """The facts of one run. `folder` is the run's; `procedure` is the one that its journal names."""

    folder: Path
    journal: Record
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
        seconds = ledger.downtime_seconds(self.procedure, self.journal)
        return None if seconds is None else Seconds(seconds)

    @cached_property
    def downtime_work(self) -> Seconds | None:
        """The part of the downtime in which something was done."""
        seconds = ledger.downtime_work(self.procedure, self.journal)
        return None if seconds is None else Seconds(seconds)

    @property
    def waiting(self) -> Seconds | None:
        """The part of the downtime that waited for a person."""
        whole, work = self.downtime, self.downtime_work
        return None if whole is None or work is None else Seconds(max(0.0, whole - work))

    @property
    def planned(self) -> Seconds | None:
        """The downtime that was announced to the users; None where none was."""
        minutes = self.settings.get("planned_downtime")
        return Seconds(60 * minutes) if minutes else None

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
    def proofs(self) -> list[Entry]:
        """The checks of the steps that verify, without those that guarded earlier steps already."""
        seen, found = set[tuple[str, str]](), list[Entry]()
        for one in self.verifications:
            if (one.title, one.server) not in seen and one.step.startswith("verify-"):
                found.append(one)
            seen.add((one.title, one.server))
        return found

    @property
    def unproven(self) -> bool:
        """Whether the target serves, and the whole copy is yet to be proven."""
        return self.proven_late and self.cut[1] is not None and self._proven is None

    @property
    def proven_late(self) -> bool:
        return bool(self.settings.get("verify") == "after")

    @property
    def proof(self) -> str:
        """When the whole copy was proven to be the same, in words; empty where that is no matter yet."""
        if self.unproven:
            return _("switched, not yet proven whole")
        if not self._proven:
            return ""
        sent = self.journal.last("step done", step="verify-copy")
        text = _("proven whole at {time}")
        if self.proven_late and sent:
            text = _("proven whole at {time}; before the switch, at {sent}, what was sent was compared")
        return text.format(
            time=wording.clock(moment(self._proven)), sent=wording.clock(moment(sent)) if sent else ""
        )

    @property
    def _proven(self) -> Line | None:
        return self.journal.last("step done", step="verify-whole" if self.proven_late else "verify-copy")

    @property
    def subscription_ends(self) -> date | None:
        """As it was told last; None where nobody told it."""
        told = [str(one.row[ENDS]) for one in self.verifications if ENDS in one.row]
        return date.fromisoformat(told[-1]) if told else None

    @property
    def probes(self) -> Path:
        return self.folder / "logs" / "probe.csv"

    @cached_property
    def outages(self) -> list[probe.Outage]:
        return probe.outages(self.probes)

    @property
    def silent(self) -> list[str]:
        """The ports that have not answered again."""
        return [one.port for one in self.outages if one.misses and one.back is None]

    def _last(self, event: str) -> Line:
        line = self.journal.last(event)
        assert line is not None
        return line


def name_of(label: str) -> str:
    """A step's name, given its name in the journal, which may have the number of a pass."""
    return label.split(".")[0]


def number_of(label: str) -> int | str:
    """The number of a pass, given a step's name in the journal; empty where it has none."""
    return int(label.split(".")[1]) if "." in label else ""


def gather(folder: Path, find: Callable[[str], Procedure], read: Callable[[Path], Record] = Journal) -> Facts:
    """The facts of a run's folder. Raise InputError where it has no run; `find` gets a procedure's name.

    `read` may be `glance`, where only the state of the run is asked for.
    """
    journal = read(folder / "journal.jsonl")
    opened = journal.last("opened")
    if opened is None:
        raise InputError(f"{folder} has no run in its journal")
    procedure = find(opened["procedure"])
    keep(server_names(recorded(procedure.settings, opened["settings"])))
    return Facts(folder, journal, procedure)
