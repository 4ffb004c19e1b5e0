"""Holding the target warm: hot passes at a pace until the service may be stopped, and whether it may be by then."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bmnb import forecast, tables
from bmnb.answers import OVER_BUDGET, is_signed
from bmnb.errors import BmnbError, Interrupted, Stopped
from bmnb.journal import Line, step_of
from bmnb.language import _
from bmnb.ledger import pass_rows
from bmnb.phrases import phrase
from bmnb.steps import Step
from bmnb.stretches import moment as written
from bmnb.times import duration, moment

if TYPE_CHECKING:
    from bmnb.run import Run

ORIGIN_WRITES = "origin writes"
"""The column of a pass that tells how much the original server writes."""
LOOK_SECONDS = 1.0


def keep(run: Run) -> None:
    """Make hot passes as the settings want them: one more, or at a pace until it is time. Raise what the last one met."""
    assert run.procedure.synchronizations
    hot, _cold = run.procedure.synchronizations
    if run.settings.dry_run or run.is_beyond(hot) or not (run.settings.every or run.settings.again):
        return
    run.open()
    if run.has_moved_on(hot):
        return
    run(hot)
    if run.settings.again and not _made_by_this_process(run, hot):
        run(hot, again=True)
        _tell(run, "")
    if run.settings.every:
        _Pace(run, hot).keep()


class _Pace:
    """The passes of a run at its pace."""

    def __init__(self, run: Run, hot: Step) -> None:
        self.run, self.hot = run, hot
        self.every = timedelta(seconds=duration(run.settings.every))
        self.until = moment(run.settings.until) if run.settings.until else None
        self.failed: BmnbError | None = None

    def keep(self) -> None:
        self._refuse_too_late()
        if rate := self._write_rate():
            text = _("The original server writes {rate}.")
            self.run.show(tables.sentence(text.format(rate=phrase(rate))))
        due = self._due()
        while self.until is None or due < self.until:
            self._wait(due)
            self._pass()
            due = max(self._due(), _now())
        self._wait(self.until)
        if self.failed or self._is_under_way():
            self._pass()
        if self.failed:
            raise self.failed

    def _write_rate(self) -> str:
        told = [one["row"] for one in self.run.journal.events("done") if ORIGIN_WRITES in one.get("row", {})]
        return str(told[-1][ORIGIN_WRITES]) if told else ""

    def _refuse_too_late(self) -> None:
        """Who comes back much later must not find that users are cut off at once."""
        if self.until and _now() > self.until + self.every:
            text = _(
                "The time to stop the service was {until}: nothing is begun so much later.\n"
                "  → set another `until`, or leave `every` and `until` out to begin now"
            )
            raise Stopped(text.format(until=f"{self.until:%Y-%m-%d %H:%M}"))

    def _due(self) -> datetime:
        """When the next pass begins: at once where the last one was broken off before this process."""
        if self._is_under_way() and not self.failed:
            return _now()
        return written(self._starts()[-1]) + self.every

    def _is_under_way(self) -> bool:
        return not self.run.is_done(str(self._starts()[-1]["step"]))

    def _starts(self) -> list[Line]:
        return [one for one in self.run.journal.events("step started") if step_of(one) == self.hot.name]

    def _pass(self) -> None:
        """One that fails is told, and the next one is made at its time; what was not begun at all ends the holding."""
        begun = len(self._starts())
        try:
            self.run(self.hot, again=True)
        except Interrupted:
            raise
        except BmnbError as error:
            if len(self._starts()) == begun:
                raise
            self.failed = error
        else:
            self.failed = None
        due = max(written(self._starts()[-1]) + self.every, _now())
        _tell(self.run, str(self.failed or ""), due if self.until is None or due < self.until else self.until)

    def _wait(self, until: datetime | None) -> None:
        try:
            while until and (left := (until - _now()).total_seconds()) > 0:
                time.sleep(min(left, LOOK_SECONDS))  # a machine that was asleep looks at the clock again
        except KeyboardInterrupt:
            text = _(
                "Holding the target warm was interrupted; nothing is under way.\n  → go on, or run this cell again"
            )
            raise Interrupted(text) from None


def _tell(run: Run, why: str, due: datetime | None = None) -> None:
    """Put on record, and show, how the pass went and what downtime is expected by now."""
    seen = expected(run)
    run.journal.write(
        "held warm",
        why=why,
        due=due.isoformat(timespec="seconds") if due else "",
        shortest=round(seen.shortest, 1) if seen else None,
        longest=round(seen.longest, 1) if seen else None,
        whole=bool(seen and seen.whole),
    )
    text = [said(run)]
    if why:
        text.insert(0, _("This pass has failed: {why}").format(why=why))
    if due:
        text.append(
            _("The next one, or what comes after them, begins at {due}.").format(
                due=f"{due:%Y-%m-%d %H:%M:%S}"
            )
        )
    run.show(tables.sentence("\n".join(text)))


def expected(run: Run) -> forecast.Ahead | None:
    """The downtime if it began now."""
    assert run.procedure.synchronizations
    hot, cold = run.procedure.synchronizations
    own = run.own_time()
    past = forecast.past_seconds(run.procedure, run.folder, own=own.known is None)
    return forecast.downtime(run.procedure, cold, list(pass_rows(run.journal, hot)), past, own)


def said(run: Run) -> str:
    """The same as a sentence."""
    assert run.procedure.synchronizations
    return str(run.foretold(*run.procedure.synchronizations))


def refuse_over_budget(run: Run) -> None:
    """Raise Stopped where more downtime is expected than the budget has, or nobody knows how much.

    Somebody may have it begun all the same, for a reason, on record.
    """
    budget = getattr(run.settings, "budget", "")
    if not budget or run.procedure.synchronizations is None:
        return
    if run.has_moved_on(run.procedure.synchronizations[0]):
        return
    seen = expected(run)
    if seen and seen.whole and seen.longest <= duration(budget):
        return
    answer = run.answered(OVER_BUDGET)
    if is_signed(answer):
        run.journal.write("answer", key=OVER_BUDGET, answer=answer, told=said(run))
        return
    text = _(
        "The service is not stopped: the downtime's budget is {budget}. {expected}\n"
        "  → hot passes may go on; or raise `budget`, or answer `{key}: NAME, REASON` to stop it all the same"
    )
    raise Stopped(text.format(budget=budget, expected=said(run), key=OVER_BUDGET))


def _made_by_this_process(run: Run, hot: Step) -> bool:
    opened = run.journal.last("opened")
    ended = [one for one in run.journal.events("step done") if step_of(one) == hot.name]
    return bool(opened and ended and ended[-1]["number"] > opened["number"])


def _now() -> datetime:
    return datetime.now(UTC).astimezone()
