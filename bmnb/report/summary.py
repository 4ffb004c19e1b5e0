"""The first page of a report: the verdict, what was done for whom, and what is left to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bmnb.bluemind.subscription import WARNING_DAYS
from bmnb.journal import Line
from bmnb.language import _
from bmnb.phrases import phrase
from bmnb.report import wording
from bmnb.report.entries import Entry
from bmnb.report.facts import Facts
from bmnb.report.wording import Seconds
from bmnb.settings import recorded
from bmnb.stretches import moment


@dataclass(frozen=True)
class Verdict:
    """What the top of the report says; `kind` is done or unfinished."""

    kind: str
    title: str
    text: str
    more: tuple[str, ...] = ()


def verdict(facts: Facts) -> Verdict:
    if facts.rolled_back:
        return Verdict("unfinished", _("Rolled back."), _("The run was undone; the way it went is below."))
    if facts.finished:
        return Verdict("done", _("Done."), _checks(facts), (*_accepted(facts), *_to_renew(facts)))
    where = facts.reached
    text = (
        _("The run stands at “{step}”, since {time}.").format(
            step=_(where.title), time=wording.clock(where.ended)
        )
        if where
        else _("No step was begun.")
    )
    title = _("Switched, not yet proven whole.") if facts.unproven else _("Unfinished.")
    return Verdict("unfinished", title, text, (*_unfinished(facts), *_to_renew(facts)))


def _checks(facts: Facts) -> str:
    failed = sum(one.status != "done" for one in facts.verifications)
    if failed:
        return _("Every step was done; {number} checks do not hold.").format(number=failed)
    return _("Every step was done; all {number} checks hold.").format(number=len(facts.verifications))


def _accepted(facts: Facts) -> list[str]:
    text = _("What differs was accepted on record in {number} of them: see the open points.")
    return [text.format(number=len(facts.accepted))] if facts.accepted else []


def _to_renew(facts: Facts) -> list[str]:
    ends = facts.subscription_ends
    if ends is None or (ends - facts.ended.date()).days >= WARNING_DAYS:
        return []
    return [_("BlueMind's subscription ends on {date}: it is to be renewed.").format(date=ends)]


def _unfinished(facts: Facts) -> list[str]:
    stopped, answers = facts.cut
    found = [phrase(facts.stopped_by)] if facts.stopped_by else []
    if stopped is None:
        return [*found, _("The service was not stopped by this run.")]
    if answers is None:
        return [*found, _("Users have been cut off since {time}.").format(time=_at(stopped))]
    if facts.unproven:
        found.append(_("The whole copy is yet to be proven: keep the original server as it is."))
    return [*found, _("The service answers since {time}.").format(time=_at(answers))]


def open_points(facts: Facts) -> list[str]:
    """What somebody still has to look at."""
    return [
        *(f"{phrase(one.title)} ({one.server}): {_how(one)}" for one in (*facts.unfinished, *facts.accepted)),
        *(_("{port} has not answered again").format(port=port) for port in facts.silent),
        *_overrun(facts),
        *_to_renew(facts),
    ]


def left(facts: Facts) -> list[str]:
    """What people do once the procedure is done; nothing before."""
    if not facts.finished or not facts.procedure.left:
        return []
    settings: Any = recorded(facts.procedure.settings, facts.settings)
    return [phrase(one) for one in facts.procedure.left(settings)]


def _overrun(facts: Facts) -> list[str]:
    planned, measured = facts.planned, facts.downtime
    if planned is None or measured is None or measured <= planned:
        return []
    text = _("users were cut off for {measured}, planned were {planned}")
    return [text.format(measured=wording.duration(measured), planned=wording.duration(planned))]


def summary(facts: Facts) -> list[tuple[str, Any]]:
    """What was done, for whom, where, when and by whom: the names and values that are known."""
    settings = facts.settings
    names = {"client": _("Client"), "origin": _("Origin"), "target": _("Target"), "core": _("Server")}
    rows = [
        *((title, settings.get(name, "")) for name, title in names.items()),
        (_("Other servers"), ", ".join(settings.get("servers", []))),
        (_("Address"), settings.get("address", "")),
        (_("New address"), settings.get("new_address", "")),
        (_("Versions"), "\n".join(versions(facts))),
        (_("Subscription ends"), str(facts.subscription_ends or "")),
        (_("Began"), wording.universal(facts.began)),
        (_("Whole copy"), facts.proof),
        (_("Ended") if facts.finished else _("Last entry"), wording.universal(facts.ended)),
        (_("Run by"), ", ".join(facts.operators)),
        (_("Downtime planned"), facts.planned),
        (_("Downtime forecast"), forecast(facts)),
        (_("Downtime measured"), facts.downtime),
        (_("of which at work"), facts.downtime_work),
        (_("of which waiting for a person"), facts.waiting),
        (_("as seen from outside"), max((Seconds(one.seconds) for one in facts.outages), default=None)),
    ]
    return [(name, value) for name, value in rows if value]


def forecast(facts: Facts) -> Seconds | None:
    told = facts.forecast.get("downtime")
    return None if told is None else Seconds(told)


def versions(facts: Facts) -> list[str]:
    """Each server's version before and after an update; else what checks said of BlueMind's versions."""
    checked = [
        phrase(one.seen.splitlines()[0]) for one in facts.verifications if "version" in one.title and one.seen
    ]
    updated = [
        f"{one.server}: {one.row['before']} → {one.row['after']}"
        for one in facts.entries
        if {"before", "after"} <= one.row.keys()
    ]
    return list(dict.fromkeys(updated or checked))


def _how(entry: Entry) -> str:
    """How an action ended, or that nobody knows, and what may still run."""
    if entry.status != "started":
        return phrase(entry.seen or entry.status)
    unit = _("it may still run in unit {unit}").format(unit=entry.unit) if entry.unit else ""
    return "; ".join(filter(None, [_("started, its end is not known"), unit]))


def _at(line: Line) -> str:
    return wording.clock(moment(line))
