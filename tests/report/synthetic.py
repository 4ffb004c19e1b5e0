"""The folder of a run that never was: every step of a procedure with plausible numbers."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat

from bmnb.journal import START, Journal, digest, encoded
from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.report.facts import number_of
from bmnb.steps import Check, Command, Manual, Procedure, Step, kind, singles

SETTINGS = Settings(
    client="Dupont & Fils",
    origin="mail.dupont.example",
    target="new.dupont.example",
    address="198.18.7.10",
    planned_downtime=90,
    answers={},
)
FILES = 1_000_000


def run(
    folder: Path,
    files: int = FILES,
    passes: int = 3,
    until: str = "",
    procedure: Procedure = PROCEDURE,
    settings: Any = SETTINGS,
    journal: Any = None,
) -> Path:
    """A run's folder: whole, or ended in the middle of the step named `until`. A `journal` may take its lines."""
    journal = journal or Journal(folder / "journal.jsonl")
    known = {name: value for name, value in vars(settings).items() if name != "answers"}
    journal.write("opened", procedure=procedure.name, version="0.1.0", settings=known)
    for server, system in (
        (known.get("origin", "core"), "Debian 11"),
        (known.get("target", "edge"), "Debian 12"),
    ):
        tools = ["GNU bash, version 5.2.15(1)-release", "rsync  version 3.2.7  protocol version 31"]
        facts = {
            "tools": tools,
            "machine": f"{len(server):032x}",
            "host_key": "SHA256:" + "a" * 43,
            "system": system,
        }
        journal.write("pinned", server=server, hostname=server.split(".")[0], **facts)
    for step in procedure.steps:
        for label in labels(step, passes):
            journal.write("step started", step=label, title=step.title, phase=step.phase.name)
            for number, action in enumerate(singles(step.actions(settings)), 1):
                told = {"action": f"{label}/{number}", "kind": kind(action), "title": action.title}
                told["server"] = action.host if isinstance(action.host, str) else ", ".join(action.host)
                line = action.line if isinstance(action.line, str) else "\n".join(action.line)
                unit = {"unit": f"run-{label}-{number}"} if isinstance(action, Command) else {}
                if isinstance(action, Manual):
                    journal.write("answer", key=action.key, answer=action.expect or "seen by Anne")
                if isinstance(action, Check) and action.decision == ACCEPTED[0]:
                    journal.write("answer", key=ACCEPTED[0], answer=ACCEPTED[1])
                journal.write("started", line=line, **unit, **told)
                if step.name == until and isinstance(action, Command):
                    return furnished(folder, procedure)
                told_of = parts(action, files, label)
                journal.write(
                    "done",
                    **{"seen": seen(action), "row": row(action, files, label), "items": items(action)},
                    **({"parts": told_of} if told_of else {}),
                    **{"seconds": 2.5, "exit": 0},
                    **told,
                )
            journal.write("step done", step=label)
    journal.write("note", text="Mme Dupont called: all is well", file="")
    journal.write("finished")
    return furnished(folder, procedure)


class Heap:
    """The facts of a journal, to be written at once: line by line onto the disk takes its time."""

    def __init__(self) -> None:
        self.facts: list[dict[str, Any]] = []

    def write(self, event: str, **facts: Any) -> None:
        self.facts.append({"event": event, **facts})

    def chain(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        now = {"time": "2026-01-31T20:00:00.000+00:00", "local": "2026-01-31T21:00:00.000+01:00"}
        before = START
        with path.open("wb") as file:
            for number, facts in enumerate(self.facts, 1):
                line = {"number": number, **now, "who": "anne@laptop", **facts, "before": before}
                line["sha256"] = before = digest(line)
                file.write(encoded(line) + b"\n")


def long_run(folder: Path, lines: int, items: int) -> Path:
    """A run with so many lines in its journal, most of them hot passes, and so many items seen one by one."""
    a_pass, rest = Heap(), Heap()
    hot = next(step for step in PROCEDURE.steps if step.passes)
    folder.mkdir(parents=True)
    run(folder, passes=1, journal=a_pass)
    of_pass = [
        one for one in a_pass.facts if str(one.get("action", one.get("step"))).startswith(f"{hot.name}.")
    ]
    first = a_pass.facts.index(of_pass[0])
    passes = (lines - len(a_pass.facts)) // len(of_pass) + 1
    told = a_pass.facts[:first]
    for number in range(1, passes + 1):
        for one in of_pass:
            told.append(
                {
                    **one,
                    **{
                        key: one[key].replace(".1", f".{number}", 1)
                        for key in ("action", "step")
                        if key in one
                    },
                }
            )
    told += a_pass.facts[first + len(of_pass) :]
    listed = [place for place, one in enumerate(told) if one["event"] == "done" and one["kind"] == "check"]
    many = [
        {"mailbox": f"user{number}@dupont.example", "difference": "content"} for number in range(items // 2)
    ]
    told[listed[-1]] = {**told[listed[-1]], "items": many}
    for place in listed[: items // 2 // 1000]:
        told[place] = {**told[place], "items": MAILBOXES}
    rest.facts = told
    rest.chain(folder / "journal.jsonl")
    return folder


def labels(step: Step, passes: int) -> list[str]:
    return [f"{step.name}.{number}" for number in range(1, passes + 1)] if step.passes else [step.name]


def seen(action: Any) -> str:
    if isinstance(action, Manual):
        return action.expect or "seen by Anne"
    if isinstance(action, Check) and action.decision == ACCEPTED[0]:
        return f"accepted by {': '.join(ACCEPTED)}; 1 differences: /etc/bm/local.ini: content"
    return "BlueMind 4.9.3884" if isinstance(action, Check) else ""


ACCEPTED = "accept-configuration", "3f2a91c4 Anne, the new server has another name; it is right so"

MAILBOXES = [
    {"mailbox": f"user{number}@dupont.example", "folders": 8, "messages": 40, "bytes": 10**6, "state": "same"}
    for number in range(1000)  # as many as the journal keeps
]
CHANGES = [
    {"server": "new.dupont.example", "change": "overwritten", "what": "/etc/postfix/main.cf"},
    {"server": "new.dupont.example", "change": "new", "what": "/etc/bm/local.ini"},
]


def items(action: Any) -> list[dict[str, Any]]:
    if action.title == "mail of every user is the same":
        return MAILBOXES
    return CHANGES if "changed" in action.title else []


TABLES = [f"public.t_{number}" for number in range(26)]


def row(action: Any, files: int, label: str) -> dict[str, Any]:
    if isinstance(action, Check) and action.title in ("bj is the same", "bj-data is the same"):
        return {"database": action.title.split()[0], "tables": 26, "rows": 26 * 100}
    if not isinstance(action, Command) or action.read is None:
        return {}
    if action.title.startswith("rows of "):
        return {"tables": 26, "rows": 26 * 100, "carried": 26 * 3}
    found = parts(action, files, label)
    return {
        name: sum(one[name] for one in found) for name in (found[0] if found else ()) if name not in NAMES
    }


NAMES = ("tree", "how")


def parts(action: Any, files: int, label: str) -> list[dict[str, Any]]:
    """What an action tells of each tree or table."""
    if isinstance(action, Check) and action.title in ("bj is the same", "bj-data is the same"):
        database = {"database": action.title.split()[0], "how": "compared", "same": True}
        return [{**database, "table": name, "rows": 100, "target rows": 100} for name in TABLES]
    if not isinstance(action, Command) or action.parts is None:
        return []
    if action.title.startswith("rows of "):
        database = {"database": action.title.split()[2].strip(","), "how": "changes"}
        return [{**database, "table": name, "rows": 100, "carried": 3, "removed": 1} for name in TABLES]
    if action.when and "! -e" in action.when.line:
        return []
    trees = TREES if "trees" in action.title else {"/var/spool/postfix": 0}
    return [of_tree(tree, round(files * share), label) for tree, share in trees.items()]


TREES = {"/var/spool/cyrus": 0.9, "/var/spool/sieve": 0.1}


def of_tree(tree: str, files: int, label: str) -> dict[str, Any]:
    changed = files // (10 * int(number_of(label) or 5))
    sizes = {"bytes": files * 50_000, "changed bytes": changed * 50_000, "line bytes": changed * 50_000}
    return {"tree": tree, "how": "fast", "files": files, "transferred": changed, "deleted": 0, **sizes}


def furnished(folder: Path, procedure: Procedure, hours: int = 6) -> Path:
    """With a notebook, and what the probes saw in so many hours."""
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_markdown_cell(f"# {procedure.title}\n\nIt *moves* BlueMind.")]
    for step in procedure.steps:
        lines = "".join(f"<tr><th>{n}</th><td>row {n}</td></tr>" for n in range(60))
        table = f"<style scoped>td {{color: red}}</style><table>{lines}</table><script>alert(1)</script>"
        output = nbformat.v4.new_output("execute_result", {"text/html": table})
        book.cells += [
            nbformat.v4.new_markdown_cell(f"## {step.title}\n\nSee [the page](https://doc.example.org)."),
            nbformat.v4.new_code_cell(f"run(procedure.{step.name})", outputs=[output]),
        ]
    nbformat.write(book, folder / "notebook.ipynb")
    (folder / "logs").mkdir(exist_ok=True)
    with (folder / "logs" / "probe.csv").open("w", newline="") as file:
        csv.writer(file).writerows(probed(hours))
    return folder


def probed(hours: int) -> Iterator[tuple[str, str, int]]:
    began = datetime(2026, 1, 31, 20, tzinfo=UTC)
    for second in range(hours * 3600):
        for port in ("SMTP 25", "IMAP 143", "HTTPS 443"):
            away = 60 < second < hours * 1800
            yield (began + timedelta(seconds=second)).isoformat(timespec="milliseconds"), port, int(not away)
