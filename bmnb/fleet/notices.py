"""Sending notices by mail and webhook: before, at the start, at the end, at trouble."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from types import TracebackType
from urllib.request import Request, urlopen

from bmnb.fleet.store import Client, Store
from bmnb.fleet.wishes import Wishes
from bmnb.redact import Secret

SECONDS = 15.0
BEFORE, START, END, TROUBLE = "before", "start", "end", "trouble"
SECURITY = ("starttls", "tls", "none")


@dataclass(frozen=True)
class Notices:
    """How notices are sent: nothing is, unless a server or a webhook is named. `before` is in minutes."""

    to: list[str] = field(default_factory=list)
    before: int = 60
    smtp: str = ""
    port: int = 587
    security: str = "starttls"
    sender: str = ""
    user: str = ""
    password_file: str = ""
    ca_file: str = ""
    webhook: str = ""

    def problems(self) -> list[str]:
        """What is wrong with these values, each in one line."""
        wrong = [] if self.security in SECURITY else [f"security: not one of {', '.join(SECURITY)}"]
        wrong += ["sender: is missing"] if self.smtp and not self.sender else []
        wrong += ["password_file: is missing"] if self.user and not self.password_file else []
        is_web = self.webhook.startswith(("http://", "https://"))
        return wrong + (["webhook: expected https://..."] if self.webhook and not is_web else [])


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
        # what reads a journal is slow to import, and nobody may want notices
        from bmnb.fleet.letters import compose

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
            password = Secret(Path(options.password_file).expanduser().read_text(encoding="utf-8").strip())
            server.login(options.user, password.reveal())
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
