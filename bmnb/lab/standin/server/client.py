"""Who the client is: its domains and users, the same for the same number of users."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Domain:
    """A mail domain. Since 4.3 its uid is made up; older ones are called like the domain."""

    uid: str
    name: str
    label: str
    aliases: tuple[str, ...]


DOMAINS = (
    Domain("f8de2c4a.internal", "example.org", "Exemple", ("example.org", "example.com")),
    Domain("5b1e7f02.internal", "xn--socit-esab.example", "Société à l'œuvre", ("xn--socit-esab.example",)),
    Domain("lab.example", "lab.example", "Labor für 実験 🧪", ("lab.example",)),
)
SERVER_UID = "bm-master"
EXTERNAL_URL = "bluemind.example.org"

FIRST = ("Éloïse", "Jürgen", "Zoë", "Marc", "Anaïs", "Øyvind", "Łukasz", "Inès", "Noël", "Renée")
LAST = ("Brûlé", "Weiß", "Ångström", "Durand", "D'Arc", "李", "Núñez", "Lefèvre", "Øst", "Müller 😀")
LOGINS = ("eloise", "jurgen", "zoe", "marc", "anais", "oyvind", "lukasz", "ines", "noel", "9renee")


@dataclass(frozen=True)
class User:
    number: int
    login: str
    display: str
    domain: Domain

    @property
    def email(self) -> str:
        return f"{self.login}@{self.domain.name}"


def users(number: int) -> list[User]:
    """Seven of ten are in the first domain."""
    return [_user(one) for one in range(1, number + 1)]


def _user(number: int) -> User:
    first, last = number % len(FIRST), number // len(FIRST) % len(LAST)
    domain = DOMAINS[max(0, number % 10 - 7)]
    return User(number, f"{LOGINS[first]}.user{number}", f"{FIRST[first]} {LAST[last]} {number}", domain)


def my_networks(ip: str) -> str:
    """The networks that may relay: loopback, the client's own, the server."""
    return f"127.0.0.0/8, 192.0.2.0/24, {ip}/32"


def partition(domain: Domain) -> str:
    """Name of a domain's Cyrus partition."""
    return f"{SERVER_UID}__{domain.uid}".replace(".", "_")


def letter(name: str) -> str:
    """The folder in which Cyrus sorts a name: its first letter, or q."""
    return name[0].lower() if name[0].isascii() and name[0].isalpha() else "q"


def mailbox_folder(user: User) -> str:
    """Where a user's mail lies below the data, meta and archive folders of Cyrus."""
    name, domain = user.login.replace(".", "^"), user.domain.uid
    return f"{partition(user.domain)}/domain/{letter(domain)}/{domain}/{letter(name)}/user/{name}"
