"""What a journal tells of steps, passes, phases and downtime, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bmnb.journal import Line, Record, step_of
from bmnb.steps import Procedure, Row, Step
from bmnb.stretches import Span, moment, seconds_in, spans_by_step

ENDS = ("done", "failed", "skipped")


def step_rows(journal: Record, step: Step) -> Iterator[Row]:
    """A row for each action of a step, and of each of its passes, as it ended last."""
    last: dict[str, Line] = {}
    for line in journal.lines:
        if line["event"] in ("started", *ENDS) and _belongs(line["action"], step):
            last[line["action"]] = line
    for key, line in last.items():
        row = {"pass": int(key.split("/")[0].rsplit(".", 1)[1])} if step.passes else {}
        yield {
            **row,
            "server": line["server"],
            "action": line["title"],
            "status": line["event"],
            "seconds": line.get("seconds", ""),
            "seen": _first_line(line.get("seen", "")),
            **line.get("row", {}),
        }


def item_rows(journal: Record, step: Step) -> Iterator[Row]:
    """A row for each item that the last end of each action of a step lists."""
    last = {
        line["action"]: line
        for line in journal.lines
        if line["event"] in ENDS and _belongs(line["action"], step)
    }
    for line in last.values():
        yield from ({"check": line["title"], **item} for item in line.get("items", []))


def pass_rows(journal: Record, step: Step) -> Iterator[Row]:
    """A row for each pass of a repeated step: seconds of all its starts, and the sums of what its commands counted."""
    spans = spans_by_step(journal.lines)
    told: dict[str, list[Line]] = {}
    for line in journal.lines:
        if line["event"] in ("step started", "done", "step done") and step_of(line) == step.name:
            told.setdefault(str(line.get("step") or line["action"]).split("/")[0], []).append(line)
        if line["event"] == "step done" and step_of(line) == step.name and step.passes:
            yield _pass_row(told.pop(line["step"]), spans.get(line["step"], []))


def _pass_row(lines: list[Line], spans: list[Span]) -> Row:
    """Of the lines from the first start of a pass to its end; its spans may be those of an earlier time as well."""
    starts = [line for line in lines if line["event"] == "step started"]
    began, ended = moment(starts[0] if starts else lines[0]), moment(lines[-1])
    last = {line["action"]: line.get("row") for line in lines if line["event"] == "done"}
    rows = [row for row in last.values() if row]
    counted = dict.fromkeys(key for row in rows for key, value in row.items() if not isinstance(value, str))
    sums = {key: sum(row.get(key, 0) for row in rows) for key in counted if key != "bytes/s"}
    return {
        "pass": int(lines[-1]["step"].rsplit(".", 1)[1]),
        "began": _clock(starts[0]) if starts else "",
        "ended": _clock(lines[-1]),
        "seconds": round(seconds_in(one for one in spans if began <= one[0] and one[1] <= ended), 1),
        "starts": len(starts),
        **sums,
    }


def phase_rows(procedure: Procedure, journal: Record) -> Iterator[Row]:
    """A row for each phase that has begun, and one for the downtime: service stopped to service answering.

    `seconds` is from beginning to end, of which `at work` and `waiting` for a person are the two parts.
    """
    spans = spans_by_step(journal.lines)
    for phase in procedure.phases:
        names = {step.name for step in procedure.steps if step.phase == phase}
        begun = [line for line in journal.events("step started") if line["phase"] == phase.name]
        ended = [line for line in journal.events("step done") if step_of(line) in names]
        done = {step_of(line) for line in ended if journal.stands(line)}
        if begun:
            last = ended[-1] if done == names else None
            state = f"{len(done)} of {len(names)} steps done"
            work = seconds_in(span for label, some in spans.items() if _name(label) in names for span in some)
            yield _phase_row(phase.title, begun[0], last, work, state)
    stopped, answers = downtime(procedure, journal)
    if stopped:
        work = _work_between(spans, stopped, answers) if answers else 0.0
        yield _phase_row("Downtime", stopped, answers, work, "over" if answers else "under way")


def checklist_rows(procedure: Procedure, journal: Record) -> Iterator[Row]:
    """A row for each step of the procedure: its state, who ended it, when, seconds, number of passes."""
    spans = spans_by_step(journal.lines)
    for step in procedure.steps:
        own = [span for label, some in spans.items() if _belongs(label, step) for span in some]
        lines = [line for line in journal.lines if "step" in line and _belongs(line["step"], step)]
        ended = [line for line in lines if line["event"] == "step done"]
        last = lines[-1] if lines and journal.stands(lines[-1]) else None
        yield {
            "phase": step.phase.title,
            "step": step.title,
            "status": "planned" if not last else "done" if last["event"] == "step done" else "started",
            "passes": len(ended) if step.passes and ended else "",
            "who": last["who"] if last else "",
            "when": _clock(last) if last else "",
            "seconds": round(seconds_in(own), 1) if ended else "",
        }


def note_rows(journal: Record) -> Iterator[Row]:
    """A row for each of the operator's notes."""
    for line in journal.events("note"):
        yield {"when": _clock(line), "who": line["who"], "note": line["text"], "file": line["file"]}


def step_seconds(journal: Record, name: str) -> list[float]:
    """How many seconds a step took, for each time or pass that it was done without a stop in between."""
    found = []
    for done in journal.events("step done"):
        begun = list(journal.events("step started", step=done["step"]))
        if done["step"].split(".")[0] == name and len(begun) == 1:
            found.append(_seconds(begun[0], done))
    return [seconds for seconds in found if seconds is not None]


def files_seen(journal: Record) -> int:
    """How many files the synchronizations had before them, by the last hot pass over each tree."""
    passes = (line for line in journal.events("done") if "." in line["action"].partition("/")[0])
    sizes = {line["title"]: int(line["row"].get("files", 0)) for line in passes}
    return sum(sizes.values())


def downtime_seconds(procedure: Procedure, journal: Record) -> float | None:
    """Seconds from the first stop to the service answering; None where either is missing, or nobody knows."""
    stopped, answers = downtime(procedure, journal)
    return _seconds(stopped, answers) if stopped and answers else None


def downtime_work(procedure: Procedure, journal: Record) -> float | None:
    """How many seconds of the downtime were work; the rest waited for a person. None where it is not over."""
    stopped, answers = downtime(procedure, journal)
    return _work_between(spans_by_step(journal.lines), stopped, answers) if stopped and answers else None


def _work_between(spans: dict[str, list[Span]], stopped: Line, answers: Line) -> float:
    first, last = moment(stopped), moment(answers)
    every = (span for some in spans.values() for span in some)
    return seconds_in((max(began, first), min(ended, last)) for began, ended in every if began < last)


def rolling_back(journal: Record) -> Line | None:
    """Where the run's last word is that it goes back, the line with which it began to."""
    said = [line for line in journal.lines if line["event"] in ("rollback started", "rollback given up")][-1:]
    return next((line for line in said if line["event"] == "rollback started"), None)


def has_undone(journal: Record) -> bool:
    """Whether the way back has changed anything, so that the run cannot go on from where it was."""
    began = rolling_back(journal)
    return began is not None and any(
        changes_a_server(line) for line in journal.events("started") if line["number"] > began["number"]
    )


def changes_a_server(line: Line) -> bool:
    """Whether what a line tells the beginning of changes a server, rather than looks at one or asks a person."""
    kind = line["kind"]
    return bool(kind == "command" or (kind == "call" and not line["line"].startswith("GET ")))


def way_back_rows(procedure: Procedure, journal: Record, run: str = "RUN") -> Iterator[Row]:
    """A row for each phase: whether it has begun, what going back from it does, and what that costs.

    `run` is how a command names the run.
    """
    begun = {line["phase"] for line in journal.events("step started")}
    last = [phase for phase in procedure.phases if phase.name in begun][-1:]
    for phase in procedure.phases:
        yield {
            "phase": phase.title,
            "now": "here" if [phase] == last else "",
            "back": "yes" if phase.back else "no",
            "what it does": phase.back,
            "what it costs": phase.price,
            "how": f"bmnb rollback {run}" if phase.back else "",
        }


def downtime(procedure: Procedure, journal: Record) -> tuple[Line | None, Line | None]:
    """From the first stop of the origin's services to the end of the last step that needs them stopped."""
    phases = {phase.name for phase in procedure.phases if phase.downtime}
    cut = {step.name for step in procedure.steps if step.phase.name in phases}
    stopped = next(
        (
            line
            for line in journal.events("started")
            if line["action"].split("/")[0] in cut and "unit" in line
        ),
        None,
    )
    last = [step.name for step in procedure.steps if step.phase.name in phases][-1:]
    return stopped, journal.last("step done", step=last[0]) if last else None


def _belongs(key: str, step: Step) -> bool:
    name = key.split("/")[0]
    return name == step.name or (bool(step.passes) and name.rsplit(".", 1)[0] == step.name)


def _name(label: str) -> str:
    return label.split(".")[0]


def _phase_row(title: str, begun: Line, ended: Line | None, work: float, state: str) -> Row:
    took = _seconds(begun, ended) if ended else None
    return {
        "phase": title,
        "began": _clock(begun),
        "ended": _clock(ended) if ended else "",
        "seconds": "" if took is None else round(took, 1),
        "at work": round(work, 1) if ended else "",
        "waiting": "" if took is None else round(max(0.0, took - work), 1),
        "state": state,
    }


def _seconds(begun: Line, ended: Line) -> float | None:
    """None where the clock was put back meanwhile, to before the beginning."""
    took = (datetime.fromisoformat(ended["time"]) - datetime.fromisoformat(begun["time"])).total_seconds()
    return took if took >= 0 else None


def _clock(line: Line) -> str:
    return f"{datetime.fromisoformat(line['time']):%Y-%m-%d %H:%M:%S}"


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""
