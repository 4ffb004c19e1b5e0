"""Logging in, in OpenSSH's order: keys, then what a server asks of a person, one after the other where it wants several."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import SimpleQueue
from typing import Any, cast

import paramiko
from paramiko.auth_handler import AuthOnlyHandler
from paramiko.common import MSG_SERVICE_ACCEPT, cMSG_SERVICE_REQUEST

from bmnb.errors import ConnectionFailed
from bmnb.redact import Secret
from bmnb.remote import keys, questions
from bmnb.remote.config import Address

PERSON_SECONDS = 120.0
"""How long a server waits for a person, who types or touches a key: LoginGraceTime of sshd."""

_passwords: dict[tuple[str, str, int], Secret] = {}
"""By user, host and port: a connection that breaks at night is made anew without anybody there."""

Attempt = Callable[[], list[str]]
"""An attempt to log in returns what the server wants besides; where that is nothing, it is done."""


class Exchange(cast(Any, AuthOnlyHandler)):  # type: ignore[misc]
    """paramiko's, which also asks whether a key is wanted before somebody touches it, as ssh does."""

    def __init__(self, transport: paramiko.Transport) -> None:
        super().__init__(transport)
        self.wanted = False
        request = paramiko.Message()
        request.add_byte(cMSG_SERVICE_REQUEST)
        request.add_string("ssh-userauth")
        self.transport._send_message(request)
        transport.auth_handler = self

    @property
    def _client_handler_table(self) -> dict[int, Any]:
        # what follows is sent without waiting for it
        return {**super()._client_handler_table, MSG_SERVICE_ACCEPT: lambda _: None}

    def send_auth_request(
        self, username: str, method: str, finish_message: Callable[[paramiko.Message], None] | None = None
    ) -> list[str]:
        # paramiko's own makes the event after it has sent: an answer that comes at once is waited for in vain
        self.auth_event = threading.Event()
        self.auth_method, self.username = method, username
        message = paramiko.Message()
        message.add_byte(paramiko.common.cMSG_USERAUTH_REQUEST)
        for word in (username, "ssh-connection", method):
            message.add_string(word)
        if finish_message:
            finish_message(message)
        self.transport._send_message(message)
        return list(self.wait_for_response(self.auth_event))

    def wants(self, user: str, key: paramiko.PKey) -> bool:
        kind, bits = self._get_key_type_and_bits(key)
        algorithm = self._finalize_pubkey_algorithm(kind)

        def query(message: paramiko.Message) -> None:
            message.add_boolean(False)
            message.add_string(algorithm)
            message.add_string(bits)

        self.wanted = False
        try:
            self.send_auth_request(user, "publickey", query)
        except paramiko.BadAuthenticationType:
            raise
        except paramiko.AuthenticationException:
            return self.wanted
        return False

    def _parse_userauth_info_request(self, m: paramiko.Message) -> None:
        # the number of the message means "this key is wanted" as well
        if self.auth_method == "publickey":
            self.wanted = True
            self.auth_event.set()
        else:
            super()._parse_userauth_info_request(m)


class Unanswered(paramiko.SSHException):
    """A server asks something, and nobody is there."""


def log_in(transport: paramiko.Transport, address: Address) -> None:
    """Raise ConnectionFailed where the server lets nobody in with what there is."""
    transport.auth_timeout = PERSON_SECONDS
    with closing(keys.Agent(address.agent)) as agent:
        Login(transport, address, agent).run()


class Login:
    """One login; `tried` are the names of what was shown, `passed` the methods that the server was content with."""

    def __init__(self, transport: paramiko.Transport, address: Address, agent: keys.Agent) -> None:
        self.transport, self.address, self.agent = transport, address, agent
        self.exchange = Exchange(transport)
        self.tried: list[str] = []
        self.passed: list[str] = []
        self.ways = {
            "publickey": self._keys,
            "keyboard-interactive": self._questions,
            "password": self._password,
        }

    def run(self) -> None:
        try:
            wanted = self.exchange.send_auth_request(self.address.user, "none")
        except paramiko.BadAuthenticationType as error:
            wanted = error.allowed_types
        while wanted:
            wanted = self._next(wanted)

    def _next(self, wanted: list[str]) -> list[str]:
        """What the server wants after the first method it is content with."""
        for method in self.address.methods:
            if method not in wanted:
                continue
            for name, attempt in self.ways[method]():
                self.tried.append(name)
                try:
                    more = attempt()
                except Unanswered as error:
                    raise self._failed(wanted, str(error)) from None
                except paramiko.BadAuthenticationType:
                    break
                except (paramiko.SSHException, OSError, EOFError) as error:
                    if not self.transport.is_active():
                        raise self._failed(wanted, _ended(error, len(self.tried))) from None
                    continue
                self.passed.append(method)
                return more
        raise self._failed(wanted, "")

    def _keys(self) -> Iterator[tuple[str, Attempt]]:
        user = self.address.user
        for name, key in keys.offered(self.address, self.agent):
            if name not in self.tried:

                def attempt(key: paramiko.PKey = key) -> list[str]:
                    if not self.exchange.wants(user, key):
                        raise paramiko.AuthenticationException
                    return list(self.exchange.auth_publickey(user, key))

                yield name, attempt

    def _questions(self) -> Iterator[tuple[str, Attempt]]:
        for number in range(self.address.prompts):
            yield f"keyboard-interactive {number + 1}", self._interactive

    def _interactive(self) -> list[str]:
        """The server's questions, answered in the thread that waits for them, which may be a notebook's own."""
        asked: SimpleQueue[Any] = SimpleQueue()
        answered: SimpleQueue[list[str] | Unanswered] = SimpleQueue()

        def handler(title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
            asked.put((f"{title}\n{instructions}".strip(), prompts))
            answers = answered.get()
            if isinstance(answers, Unanswered):
                raise answers
            return answers

        with ThreadPoolExecutor(1) as waiting:
            end = waiting.submit(self.exchange.auth_interactive, self.address.user, handler)
            end.add_done_callback(lambda _: asked.put(None))
            while questions_ := asked.get():
                try:
                    answered.put([self._answer(*one).reveal() for one in self._prompts(*questions_)])
                except Unanswered as error:
                    answered.put(error)
                except BaseException:
                    answered.put(Unanswered("interrupted"))
                    raise
            return list(end.result())

    def _prompts(self, said: str, prompts: list[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
        for number, (prompt, shown) in enumerate(prompts):
            yield f"{said}\n{prompt}" if said and not number else prompt, shown

    def _password(self) -> Iterator[tuple[str, Attempt]]:
        place = (self.address.user, self.address.hostname, self.address.port)

        def attempt() -> list[str]:
            given = _passwords.pop(place, None) or self._answer("password: ", False)
            more = self.exchange.auth_password(self.address.user, given.reveal())
            _passwords[place] = given
            return list(more)

        for number in range(self.address.prompts):
            yield f"password {number + 1}", attempt

    def _answer(self, prompt: str, shown: bool) -> Secret:
        if not self.address.may_ask:
            raise Unanswered(
                f"it asks {prompt.strip()!r}, and BatchMode of ssh's configuration lets nobody be asked"
            )
        if not questions.somebody_is_there():
            raise Unanswered(f"it asks {prompt.strip()!r}, and nobody is there to answer")
        try:
            return questions.ask(f"{self.address.user}@{self.address.name}: {prompt}", shown)
        except (EOFError, RuntimeError):  # a kernel that lets this cell, or this thread, ask nothing
            raise Unanswered(f"it asks {prompt.strip()!r}, and nobody is there to answer") from None

    def _failed(self, wanted: list[str], why: str) -> ConnectionFailed:
        address, user = self.address, self.address.user
        shown = [name for name in self.tried if not name.startswith(("keyboard-interactive ", "password "))]
        lines = [
            f"{address.name} ({address.hostname}): {user} may not log in; "
            f"keys tried: {', '.join(shown) or 'none'}" + (f"; {why}" if why else "")
        ]
        if self.passed:
            lines.append(f"  content with: {', '.join(self.passed)}; it wants besides: {', '.join(wanted)}")
        elif not set(wanted) & set(address.methods):
            lines.append(
                f"  it wants: {', '.join(wanted)}; ssh's configuration allows: {', '.join(address.methods)}"
            )
        lines += [f"  {note}" for note in keys.notes(address, self.agent)]
        return ConnectionFailed("\n".join([*lines, *self._remedies(wanted, why)]))

    def _remedies(self, wanted: list[str], why: str) -> list[str]:
        user = self.address.user
        if "MaxAuthTries" in why:
            return ["  → name the key that fits: IdentityFile, with IdentitiesOnly yes"]
        asks = "asks" in why
        by_hand = ["  → or run the notebook by hand, whose cell of passphrases asks for it"] if asks else []
        if self.passed:
            return [
                f"  → what sshd wants of {user} is AuthenticationMethods in its sshd_config; where nobody is there "
                "(papermill, bmnb run, a fleet) it must be publickey alone",
                *by_hand,
            ]
        refusing = (
            "PermitRootLogin, AllowUsers or AllowGroups" if user == "root" else "AllowUsers or AllowGroups"
        )
        return [
            f"  → add one of their .pub to ~{user}/.ssh/authorized_keys, or name another IdentityFile",
            f"  → or sshd refuses {user} by {refusing}: sshd -T there, or its log, tells",
            *by_hand,
        ]


def _ended(error: BaseException, tried: int) -> str:
    said = str(error)
    if tried > 1:
        return f"the server ended it after {tried} attempts, by MaxAuthTries of sshd"
    return f"the server ended it: {said}" if said else "the server ended it"
