"""What a notice says: its subject, its text with measured times, and the window as a calendar's file."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from bmnb.fleet.board import facts_of
from bmnb.fleet.notices import BEFORE, END, START, TROUBLE, Notice
from bmnb.fleet.store import Client
from bmnb.fleet.wishes import Wishes
from bmnb.language import _, use
from bmnb.report import wording
from bmnb.report.facts import Facts
from bmnb.stretches import moment


def compose(kind: str, client: Client, wishes: Wishes) -> Notice:
    """What is told of a client, in its language, with the times that its journal has."""
    settings = json.loads(client.settings)
    facts = facts_of(client)
    with use(settings.get("language", "en")):
        name, text = " ".join(settings["client"].split()), _lines(kind, client, wishes, facts)
        subject = _subject(kind).format(client=name)
        planned = calendar(client.name, subject, wishes) if kind == BEFORE else ""
        return Notice(subject, "\n".join([*text, "", "-- ", "bmnb"]) + "\n", planned)


def _subject(kind: str) -> str:
    return {
        BEFORE: _("BlueMind maintenance for {client} is planned"),
        START: _("BlueMind maintenance for {client} has begun"),
        END: _("BlueMind maintenance for {client} is done"),
        TROUBLE: _("BlueMind maintenance for {client} needs attention"),
    }[kind]


def _lines(kind: str, client: Client, wishes: Wishes, facts: Facts | None) -> list[str]:
    now = wording.clock(datetime.now().astimezone())
    if kind == BEFORE:
        begin, end = wishes.not_before, wishes.not_after
        return [
            _("It begins at {time} at the earliest.").format(time=wording.clock(begin)) if begin else "",
            _("It does not begin after {time}.").format(time=wording.clock(end)) if end else "",
            _("Mail can be read and sent until then; it waits elsewhere while the service is stopped."),
        ]
    if kind == START:
        return [_("It has begun at {time}.").format(time=now)]
    if kind == END:
        return [_("It was done at {time}.").format(time=now), *_downtime(facts)]
    why = client.why or "-"
    return [_("State: {state}").format(state=_(client.state)), why, *_downtime(facts)]


def _downtime(facts: Facts | None) -> list[str]:
    """When users were cut off, and how long, as the journal measured it."""
    stopped, answers = facts.cut if facts else (None, None)
    if not stopped or not facts:
        return [_("The service was not stopped.")]
    begin = wording.clock(moment(stopped))
    if not answers or facts.downtime is None:
        return [_("Users have been cut off since {time}.").format(time=begin)]
    text = _("The service was stopped from {begin} to {end}: {time}.")
    end = wording.clock(moment(answers))
    return [text.format(begin=begin, end=end, time=wording.duration(facts.downtime))]


def calendar(name: str, title: str, wishes: Wishes) -> str:
    """A client's window as iCalendar (RFC 5545); empty where it has no begin or no end."""
    if not wishes.not_before or not wishes.not_after:
        return ""
    begin, end, now = (
        f"{one.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        for one in (wishes.not_before, wishes.not_after, datetime.now(UTC))
    )
    escaped = title.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;").replace("\n", "\\n")
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bmnb//fleet//EN", "METHOD:PUBLISH", "BEGIN:VEVENT"),
        *(f"UID:{name}-{begin}@bmnb", f"DTSTAMP:{now}", f"DTSTART:{begin}", f"DTEND:{end}"),
        *(f"SUMMARY:{escaped}", "END:VEVENT", "END:VCALENDAR"),
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def folded(line: str) -> str:
    """A line in pieces of 75 bytes at the most, as RFC 5545 wants them."""
    pieces, piece = list[str](), ""
    for letter in line:
        if len((piece + letter).encode()) > 74:
            pieces, piece = [*pieces, piece], ""
        piece += letter
    return "\r\n ".join([*pieces, piece])
