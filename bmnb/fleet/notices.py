"""What clients and operators are told, by mail and webhook: before, at the start, at the end, at trouble."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from types import TracebackType
from urllib.request import Request, urlopen

from bmnb.errors import InputError
from bmnb.fleet.members import Notices, Wishes
from bmnb.fleet.store import Client, Store
from bmnb.language import _, use
from bmnb.procedures import named
from bmnb.report import wording
from bmnb.report.entries import moment
from bmnb.report.facts import Facts, gather

SECONDS = 15.0
BEFORE, START, END, TROUBLE = "before", "start", "end", "trouble"


@dataclass(frozen=True)
class Notice:
    """A subject, a text, and the window as a calendar's file; empty where there is none."""

    subject: str
    text: str
    calendar: str = ""


class Notifier:
    """Sends notices from a thread of its own; one that cannot be sent is on record and stops nothing."""

    def __init__(self, options: Notices, store: Store) -> None:
        self.options, self.store = options, store
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Notifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def __call__(self, kind: str, name: str) -> None:
        """Tell of a client, as it stands now."""
        if self.options.smtp or self.options.webhook:
            self._pool.submit(self._send, kind, self.store.client(name))

    def _send(self, kind: str, client: Client) -> None:
        wishes = Wishes.from_json(client.wishes)
        notice = compose(kind, client, wishes)
        receivers = [*self.options.to, *wishes.mail]
        if self.options.smtp and receivers:
            self._try(client, kind, "mail", lambda: mail(self.options, receivers, notice))
        if self.options.webhook:
            self._try(client, kind, "webhook", lambda: post(self.options.webhook, kind, client, notice))

    def _try(self, client: Client, kind: str, way: str, send: Callable[[], None]) -> None:
        try:
            send()
            problem = ""
        except (OSError, smtplib.SMTPException) as error:
            problem = f"{type(error).__name__}: {error}"
        self.store.noticed(client.name, kind, way, problem)


def compose(kind: str, client: Client, wishes: Wishes) -> Notice:
    """What is told of a client, in its language, with the times that its journal has."""
    settings = json.loads(client.settings)
    facts = _facts(client)
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


def _facts(client: Client) -> Facts | None:
    try:
        return gather(Path(client.folder), named)
    except InputError:
        return None


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


def mail(options: Notices, receivers: list[str], notice: Notice) -> None:
    """Send a notice by SMTP. Raise OSError or SMTPException where the server does not take it."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = notice.subject, options.sender, ", ".join(receivers)
    message["Message-ID"] = make_msgid(domain="bmnb")
    message["Date"] = datetime.now(UTC)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text)
    if notice.calendar:
        message.add_attachment(notice.calendar, subtype="calendar", filename="maintenance.ics")
    trusted = ssl.create_default_context(cafile=options.ca_file or None)
    if options.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(options.smtp, options.port, timeout=SECONDS, context=trusted)
    else:
        server = smtplib.SMTP(options.smtp, options.port, timeout=SECONDS)
    with server:
        if options.security == "starttls":
            server.starttls(context=trusted)
        if options.user:
            password = Path(options.password_file).expanduser().read_text(encoding="utf-8").strip()
            server.login(options.user, password)
        server.send_message(message)


def post(address: str, kind: str, client: Client, notice: Notice) -> None:
    """Send a notice to a webhook as JSON; `text` is what chat services show. Raise OSError where it is refused."""
    body = {"client": client.name, "kind": kind, "state": client.state, "subject": notice.subject}
    told = json.dumps({**body, "text": f"{notice.subject}\n{notice.text}"}).encode()
    with urlopen(Request(address, told, {"Content-Type": "application/json"}), timeout=SECONDS):
        pass


def due(wishes: Wishes, options: Notices, now: datetime) -> bool:
    """Whether it is time to tell of a window that comes."""
    begin = wishes.not_before
    return begin is not None and begin - timedelta(minutes=options.before) <= now < begin
