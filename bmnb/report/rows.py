"""The tables of a report, as rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from bmnb import ledger
from bmnb.answers import OVER_BUDGET
from bmnb.journal import step_of
from bmnb.report.entries import Entry
from bmnb.report.facts import Facts, name_of, number_of
from bmnb.report.wording import Bytes, Code, Rate, Seconds, Word
from bmnb.steps import ROLLBACK, Phase, Row
from bmnb.stretches import Stretch, moment, seconds_in, spans_by_step


@dataclass(frozen=True)
class Rows:
    """The rows of each table, read from the facts of a run."""

    facts: Facts

    def as_files(self) -> dict[str, list[Row]]:
        """The tables that are kept as data, by their names as files: see data/schema.py."""
        return {
            "servers": self.servers,
            "phases": self.phases,
            "steps": self.steps,
            "passes": self.passes,
            "files": self.files,
            "databases": self.tables,
            "downtime": self.outages,
            "checks": self.checks,
            "items": self.listed,
            "changes": self.changes,
            "accepted": self.accepted,
            "manual": self.manual,
            "notes": self.notes,
            "commands": self.commands,
        }

    @cached_property
    def way_back(self) -> list[Row]:
        """Whether one can go back from each phase, how, and what it costs."""
        rows = ledger.way_back_rows(self.facts.procedure, self.facts.journal)
        words = ("phase", "now", "back", "what it does", "what it costs")
        return [{name: Word(row[name]) for name in words} for row in rows]

    @cached_property
    def servers(self) -> list[Row]:
        """Each server: which machine it is and what was last done on it."""
        rows = list[Row]()
        for pinned in self.facts.journal.events("pinned"):
            done = [
                one
                for one in self.facts.entries
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
        facts = self.facts
        names = {phase.name: phase for phase in (*facts.procedure.phases, ROLLBACK)}
        found = [
            (phase, [part for part in facts.stretches if part.phase == name]) for name, phase in names.items()
        ]
        return [
            {
                "phase": Word(phase.title),
                "began": parts[0].began,
                "ended": parts[-1].ended,
                "duration": Seconds(sum(part.seconds for part in parts)),
                "forecast": _seconds(facts.forecast.get("phases", {}).get(phase.name)),
                "users cut off": Word("yes" if phase.downtime else "no"),
                "status": Word(self._status(phase, parts)),
            }
            for phase, parts in found
            if parts
        ]

    def _status(self, phase: Phase, parts: list[Stretch]) -> str:
        journal = self.facts.journal
        done = {step_of(line) for line in journal.events("step done") if journal.stands(line)}
        steps = {step.name for step in self.facts.procedure.steps if step.phase == phase}
        whole = steps <= done if steps else self.facts.rolled_back
        return "done" if whole else parts[-1].status

    @cached_property
    def steps(self) -> list[Row]:
        """The steps in their order in time; one that was taken up again is there more than once."""
        titles = {phase.name: phase.title for phase in (*self.facts.procedure.phases, ROLLBACK)}
        return [
            {
                "step": Word(part.title),
                "pass": number_of(part.step),
                "phase": Word(titles[part.phase]),
                "began": part.began,
                "duration": Seconds(part.seconds),
                "status": Word(part.status),
            }
            for part in self.facts.stretches
        ]

    @cached_property
    def passes(self) -> list[Row]:
        """A row a pass over all trees, the first of them at least: how long, how many, how much, how fast."""
        rows = list[Row]()
        of_step, parts = dict[str, list[Row]](), {part.step: part for part in self.facts.stretches}
        for one, row in self._of_trees:
            of_step.setdefault(one.step, []).append(row)
        spans = spans_by_step(self.facts.journal.lines)
        begun = Counter(part.step for part in self.facts.stretches)
        over_all = [one.step for one, row in self._of_trees if row["tree"] == self._of_trees[0][1]["tree"]]
        for step in dict.fromkeys(over_all):
            made, part = of_step[step], parts[step]
            took, starts = seconds_in(spans[step]), begun[step]
            sums = {name: _sum(name, made) for name in (*COUNTS, *SIZES)}
            moved = sums["line bytes"] or 0
            rows.append(
                {
                    "step": Word(part.title),
                    "pass": number_of(step),
                    "began": part.began,
                    "duration": Seconds(took),
                    **_numbers(sums),
                    # what an interrupted start has moved is not known
                    "bytes/s": Rate(moved / took) if took and starts == 1 else "",
                    "starts": starts,
                }
            )
        return rows

    @cached_property
    def passes_in_short(self) -> list[Row]:
        """What of it a printed page has room for."""
        left_out = ("created", "changed bytes")
        return [{name: row[name] for name in row if name not in left_out} for row in self.passes]

    @cached_property
    def files(self) -> list[Row]:
        """A row a tree and pass; how long one took of trees that went together, nobody knows."""
        return [
            {
                **self._of_step(one),
                "tree": row["tree"],
                "how": Word(row.get("how", "")),
                "began": one.began,
                "duration": _seconds(row.get("seconds", one.seconds if len(one.parts) < 2 else None)),
                **_numbers(row),
                "bytes/s": Rate(row["bytes/s"]) if "bytes/s" in row else "",
            }
            for one, row in self._of_trees
        ]

    @cached_property
    def _of_trees(self) -> list[tuple[Entry, Row]]:
        """What each command told of each tree; in a journal of an earlier release, of all of them."""
        found = list[tuple[Entry, Row]]()
        for one in self.facts.entries:
            parts = [part for part in one.parts if "tree" in part]
            if one.status == "done" and not parts and one.row.get("files"):
                parts = [{"tree": one.title if one.title.startswith("/") else "", **one.row}]
            found += [(one, part) for part in parts]
        return found

    @cached_property
    def trees(self) -> list[Row]:
        """A row a tree, as its last pass left it."""
        return [
            {
                "tree": tree or Word("all trees"),
                "files": row["files"],
                "size": row["bytes"],
                "transferred in the last pass": row["transferred"],
                "over the line in the last pass": row["line bytes"],
                "duration": row["duration"],
            }
            for tree, row in {row["tree"]: row for row in self.files}.items()
        ]

    @cached_property
    def tables(self) -> list[Row]:
        """A row a table of a database, each time that its rows were carried, counted or compared."""
        return [
            {
                **self._of_step(one),
                "at": one.ended,
                "how": Word(part["how"]),
                **{name: part.get(name) for name in ("database", "table", *COUNTS_OF_TABLES, "same")},
            }
            for one in self.facts.entries
            for part in one.parts
            if "table" in part
        ]

    def _of_step(self, one: Entry) -> Row:
        return {"step": self._titles.get(name_of(one.step), one.step), "pass": number_of(one.step)}

    @cached_property
    def _titles(self) -> dict[str, Word]:
        return {step.name: Word(step.title) for step in self.facts.procedure.steps}

    def step(self, name: str) -> list[Row]:
        """A row for each action of a step, and of each of its passes, as it ended last, with what it counted."""
        return [
            {
                "pass": number_of(one.step),
                "server": one.server,
                "kind": Word(one.kind),
                "action": Word(one.title),
                "status": Word(one.status),
                "began": one.began,
                "duration": Seconds(one.seconds) if one.ended else "",
                "attempts": one.attempts,
                "exit": one.exit,
                "seen": Word(one.seen),
                **one.row,
            }
            for one in self.facts.entries
            if name_of(one.step) == name
        ]

    @cached_property
    def databases(self) -> list[Row]:
        """A row a database, as it was compared last."""
        return [
            {
                "database": one.row["database"],
                "tables": one.row["tables"],
                "rows": one.row["rows"],
                "seen": Word(_first_line(one.seen)),
                "status": Word(one.status),
            }
            for one in self.facts.verifications
            if "database" in one.row
        ]

    @cached_property
    def outages(self) -> list[Row]:
        """What the probes from outside saw of each port."""
        zone = self.facts.began.tzinfo
        return [
            {
                "port": one.port,
                "probes": one.probes,
                "misses": one.misses,
                "first miss": one.first.astimezone(zone) if one.first else "",
                "answers again": one.back.astimezone(zone) if one.back else "",
                "seconds away": Seconds(one.seconds),
            }
            for one in self.facts.outages
        ]

    @cached_property
    def checks(self) -> list[Row]:
        return [
            {"step": self._titles.get(name_of(one.step), one.step), **_checked(one)}
            for one in self.facts.verifications
        ]

    @cached_property
    def proofs(self) -> list[Row]:
        return [_checked(one) for one in self.facts.proofs]

    @cached_property
    def items(self) -> dict[Word, list[Row]]:
        """What checks saw item by item, such as what differs, by the check's title."""
        found: dict[Word, list[Row]] = {}
        for one in self.facts.verifications:
            if one.items and "change" not in one.items[0]:
                found.setdefault(Word(one.title), []).extend(one.items)
        return found

    @cached_property
    def listed(self) -> list[Row]:
        """The same in one table."""
        return [{"check": check, **row} for check, rows in self.items.items() for row in rows]

    @cached_property
    def changes(self) -> list[Row]:
        """Files and settings of the configuration that are not what they were, and how they were changed."""
        return [
            {"server": item["server"], "change": Word(item["change"]), "what": item["what"]}
            for one in self.facts.verifications
            for item in one.items
            if "change" in item
        ]

    @cached_property
    def tools(self) -> list[Row]:
        """What the servers' tools said of their versions when the run first met them."""
        return [
            {"server": pinned["server"], "tool": tool}
            for pinned in self.facts.journal.events("pinned")
            for tool in pinned.get("tools", [])
        ]

    @cached_property
    def accepted(self) -> list[Row]:
        """What does not hold and was accepted: by whom, and why."""
        answers = [(line["key"], line["answer"]) for line in self.facts.journal.events("answer")]
        begins = {f"accepted by {key}: {answer}; ": answer for key, answer in answers}
        found = [
            (one, begin) for one in self.facts.accepted for begin in begins if one.seen.startswith(begin)
        ]
        return [
            *(
                {
                    "what must hold": Word(one.title),
                    "server": one.server,
                    "difference": Word(_first_line(one.seen).removeprefix(begin)),
                    **_reason(begins[begin].partition(" ")[2]),
                    "at": one.ended or one.began,
                }
                for one, begin in found
            ),
            *self._over_budget(),
        ]

    def _over_budget(self) -> Iterator[Row]:
        """That the service was stopped though more downtime was expected than the budget has."""
        for line in self.facts.journal.events("answer", key=OVER_BUDGET):
            if "told" in line:
                yield {
                    "what must hold": Word("the expected downtime fits into the budget"),
                    "server": "",
                    "difference": line["told"],
                    **_reason(line["answer"]),
                    "at": moment(line),
                }

    @cached_property
    def manual(self) -> list[Row]:
        """What persons confirmed or did: their answer, who gave it, and when."""
        answers = {line["answer"]: line for line in self.facts.journal.events("answer")}
        return [
            {
                "what": Word(one.title),
                "server": one.server,
                "answer": one.seen,
                "who": answers[one.seen]["who"] if one.seen in answers else "",
                "at": one.ended or one.began,
                "status": Word(one.status),
            }
            for one in self.facts.entries
            if one.kind == "manual" and one.status != "skipped"
        ]

    @cached_property
    def notes(self) -> list[Row]:
        return [
            {"at": moment(line), "who": line["who"], "note": line["text"], "file": line.get("file", "")}
            for line in self.facts.journal.events("note")
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
            for one in self.facts.entries
            if one.kind in ("command", "call") and one.line
        ]


COUNTS = ("files", "created", "transferred", "deleted")
SIZES = ("bytes", "changed bytes", "line bytes")
COUNTS_OF_TABLES = ("rows", "target rows", "carried", "removed")


def _numbers(told: Row) -> Row:
    """What was counted of files; None where nobody counted it."""
    sizes = {name: None if told.get(name) is None else Bytes(told[name]) for name in SIZES}
    return {**{name: told.get(name) for name in COUNTS}, **sizes}


def _sum(name: str, made: list[Row]) -> int | None:
    """Of all together; None where nobody counted it of one of them."""
    return sum(row[name] for row in made) if all(name in row for row in made) else None


def _seconds(value: float | None) -> Seconds | None:
    return None if value is None else Seconds(value)


def _checked(one: Entry) -> Row:
    return {
        "server": one.server,
        "what must hold": Word(one.title),
        "seen": Word(_first_line(one.seen)),
        "status": Word(one.status),
    }


def _reason(answer: str) -> Row:
    who, _, why = answer.partition(",")
    return {"who": who.strip(), "why": why.strip()}


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""
