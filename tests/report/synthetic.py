"""The folder of a run that never was: every step of a procedure with plausible numbers."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat

from bmnb.journal import Journal
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
) -> Path:
    """A run's folder: whole, or ended in the middle of the step named `until`."""
    journal = Journal(folder / "journal.jsonl")
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
                journal.write(
                    "done",
                    **{"seen": seen(action), "row": row(action, files, label), "items": items(action)},
                    **{"seconds": 2.5, "exit": 0},
                    **told,
                )
            journal.write("step done", step=label)
    journal.write("note", text="Mme Dupont called: all is well", file="")
    journal.write("finished")
    return furnished(folder, procedure)


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


def row(action: Any, files: int, label: str) -> dict[str, Any]:
    if isinstance(action, Check) and action.title in ("bj is the same", "bj-data is the same"):
        return {"database": action.title.split()[0], "tables": 26, "rows": 2651}
    if not isinstance(action, Command) or action.read is None:
        return {}
    changed = files // (10 * int(number_of(label) or 5))
    return {"files": files, "transferred": changed, "bytes": files * 50_000, "line bytes": changed * 50_000}


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
