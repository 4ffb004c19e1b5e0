"""Where the run of this kernel stands, in one line: phase, step and how long, the downtime, what comes next."""

from __future__ import annotations

from datetime import datetime

from bmnb.language import _
from bmnb.ledger import downtime
from bmnb.phrases import phrase
from bmnb.progress import clock
from bmnb.run import Run
from bmnb.steps import Step
from bmnb.stretches import moment


def line(run: Run, now: datetime) -> str:
    """Empty where nothing is to be carried out. The times that go on are as of `now`, which stands behind them."""
    if run.settings.dry_run:
        return ""
    for event, word in (("finished", "finished"), ("rolled back", "rolled back")):
        if run.journal.last(event):
            return _(word)
    cut_off = _cut_off(run, now)
    parts = [*_under_way(run, now), *cut_off]
    ticking = run.doing or cut_off
    parts += [_("next: {step}").format(step=phrase(step.title)) for step in following(run)[:1]]
    return " · ".join([*parts, *([f"{now:%H:%M:%S}"] if ticking else [])])


def following(run: Run) -> list[Step]:
    """The steps that come after what is done and what is under way."""
    done = {one["step"].split(".")[0] for one in run.journal.events("step done") if run.journal.stands(one)}
    return [one for one in run.procedure.steps if one.name not in done and one is not run.doing]


def _under_way(run: Run, now: datetime) -> list[str]:
    begun = run.journal.last("step started")
    if run.doing and begun:
        since = clock((now - moment(begun)).total_seconds())
        return [phrase(run.doing.phase.title), phrase(run.doing.title), since]
    if not begun:
        return []
    ended = run.journal.standing("step done", step=begun["step"])
    text = _("done: {step}") if ended and ended["number"] > begun["number"] else _("stopped in: {step}")
    return [text.format(step=phrase(begun["title"]))]


def _cut_off(run: Run, now: datetime) -> list[str]:
    stopped, answers = downtime(run.procedure, run.journal)
    if not stopped or answers:
        return []
    return [_("users cut off for {time}").format(time=clock((now - moment(stopped)).total_seconds()))]
