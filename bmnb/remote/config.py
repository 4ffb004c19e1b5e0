"""Servers as OpenSSH's own program understands their names: `ssh -G` tells what counts."""

from __future__ import annotations

import logging
import os
import pwd
import re
import shlex
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bmnb.errors import InputError

logger = logging.getLogger(__name__)

METHODS = ("publickey", "keyboard-interactive", "password")
"""How to log in, in OpenSSH's order; by host or Kerberos it is not done here."""

SWITCHES = {
    "publickey": "pubkeyauthentication",
    "keyboard-interactive": "kbdinteractiveauthentication",
    "password": "passwordauthentication",
}

REFUSED = {
    "knownhostscommand": "list the host's keys in a file, and name it as UserKnownHostsFile",
    "proxyusefdpass": "name a ProxyCommand that passes the data on itself",
}
"""Settings that are not followed, and what to do instead."""


@dataclass(frozen=True)
class Address:
    """Where and how a server is contacted; `alias` is its name in the lists of known hosts.

    `agent` is the path of the agent's socket, `alive` the seconds between two signs of life and how many may be
    missed, `methods` the ways to log in by preference. What ssh leaves open is None, or empty.
    """

    name: str
    hostname: str
    port: int
    user: str
    keys: tuple[str, ...]
    certificates: tuple[str, ...]
    identities_only: bool
    agent: str
    known_hosts: tuple[Path, ...]
    revoked: Path | None
    alias: str
    key_algorithms: tuple[str, ...]
    signatures: tuple[str, ...]
    strict: str
    jump: tuple[str, ...]
    proxy: str
    family: int
    bind: str
    seconds: float | None
    alive: tuple[int, int] | None
    compressed: bool
    methods: tuple[str, ...]
    may_ask: bool
    prompts: int


def home() -> Path:
    """The home that ssh takes, whatever HOME says."""
    return Path(pwd.getpwuid(os.getuid()).pw_dir)


class Config:
    """What ssh's configuration says; of a file that is missing, the same as of an empty one.

    The usual file is read as ssh reads it, with the system's behind it.
    """

    def __init__(self, path: Path | None = None) -> None:
        usual = (Path("~/.ssh/config").expanduser(), home() / ".ssh/config")
        self.path = path or usual[0]
        self._file = [] if self.path in usual else ["-F", str(self.path) if self.path.exists() else "none"]

    def find(self, name: str, hostname: str = "") -> Address:
        """The address of a server's name, or of a jump host as `user@host:port`. Raise InputError as ssh refuses it.

        At another `hostname` it has the keys that are known of it.
        """
        usual = _address(name, self._asked(*_words(name)))
        if not hostname:
            return usual
        at = f"HostName={hostname.replace('%', '%%')}"
        moved = _address(name, self._asked("-o", at, *_words(name)))
        return replace(moved, alias=usual.alias, known_hosts=usual.known_hosts)

    def _asked(self, *words: str) -> dict[str, list[str]]:
        """Each setting with its values."""
        logger.debug("ssh -G %s", shlex.join([*self._file, *words]))
        try:
            asked = subprocess.run(
                ["ssh", "-G", "-T", *self._file, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        except FileNotFoundError as error:
            raise InputError(
                "ssh is not installed on this machine, and tells how a server is reached\n"
                "  → install OpenSSH's client: apt install openssh-client, or dnf install openssh-clients"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"ssh configuration {self.path}: no answer of `ssh -G {words[-1]}` within {error.timeout:.0f} s\n"
                "  → see what it waits for: a command of `Match exec`, or the names that it looks up"
            ) from error
        if asked.returncode:
            said = asked.stderr.strip() or f"exit status {asked.returncode}"
            raise InputError(f"ssh configuration {self.path}: {said}\n  → try it: ssh -G {words[-1]}")
        found: dict[str, list[str]] = {}
        for line in asked.stdout.splitlines():
            key, _, value = line.partition(" ")
            found.setdefault(key, []).append(value)
        return found


def _words(name: str) -> list[str]:
    """The arguments of ssh for a server's name, or for a jump host."""
    if name.startswith("ssh://"):
        return ["--", name]
    user, _, place = name.rpartition("@")
    host, port = place, ""
    if found := re.fullmatch(r"\[([^]]+)\](?::(\d+))?|([^:]+):(\d+)", place):
        host, port = found[1] or found[3], found[2] or found[4] or ""
    return [*(["-l", user] if user else []), *(["-p", port] if port else []), "--", host]


def _address(name: str, found: dict[str, list[str]]) -> Address:
    def one(key: str, usual: str = "none") -> str:
        value = found.get(key, [usual])[0]
        return "" if value.lower() == "none" else value

    for setting, remedy in REFUSED.items():
        if one(setting) not in ("", "no", "false"):
            raise InputError(f"{name}: ssh's {setting} is not followed here\n  → {remedy}")
    hostname, port, jump = one("hostname"), int(one("port")), one("proxyjump")
    alias = one("hostkeyalias") or (hostname if port == 22 else f"[{hostname}]:{port}")
    names = {
        "h": hostname,
        "n": found["host"][0] if "host" in found else name,
        "p": str(port),
        "r": one("user"),
        "u": pwd.getpwuid(os.getuid()).pw_name,
        "i": str(os.getuid()),
        "d": str(home()),
        "k": alias,
        "j": jump,
        "l": socket.gethostname(),
        "L": socket.gethostname().partition(".")[0],
    }
    paths = {
        key: tuple(_path(value, names) for value in found.get(key, []) if value.lower() != "none")
        for key in ("identityfile", "certificatefile")
    }
    interval = int(one("serveraliveinterval", "0"))
    seconds, revoked = one("connecttimeout"), one("revokedhostkeys")
    preferred = one("preferredauthentications", ",".join(METHODS)).split(",")
    return Address(
        name=name,
        hostname=hostname,
        port=port,
        user=one("user"),
        keys=paths["identityfile"],
        certificates=paths["certificatefile"],
        identities_only=one("identitiesonly") == "yes",
        agent=_agent(found.get("identityagent", ["SSH_AUTH_SOCK"])[0], names),
        known_hosts=(*_files(one("userknownhostsfile")), *_files(one("globalknownhostsfile"))),
        revoked=Path(_path(revoked, names)) if revoked else None,
        alias=alias.lower(),
        key_algorithms=tuple(one("hostkeyalgorithms").split(",")),
        signatures=tuple(one("pubkeyacceptedalgorithms", one("pubkeyacceptedkeytypes", "")).split(",")),
        strict=one("stricthostkeychecking", "ask"),
        jump=tuple(part.strip() for part in jump.split(",") if part.strip()),
        proxy=_replaced(one("proxycommand"), names),
        family={"inet": socket.AF_INET, "inet6": socket.AF_INET6}.get(one("addressfamily"), socket.AF_UNSPEC),
        bind=one("bindaddress"),
        seconds=float(seconds) if seconds else None,
        alive=(interval, int(one("serveralivecountmax", "3"))) if interval else None,
        compressed=one("compression") == "yes",
        methods=tuple(
            way for way in preferred if way in METHODS and one(SWITCHES[way], "yes") not in ("no", "false")
        ),
        may_ask=one("batchmode") != "yes",
        prompts=int(one("numberofpasswordprompts", "3")),
    )


def _replaced(text: str, names: dict[str, str]) -> str:
    """The text with ssh's tokens, such as %h, in place."""
    return re.sub(r"%(.)", lambda token: "%" if token[1] == "%" else names.get(token[1], token[0]), text)


def _path(text: str, names: dict[str, str]) -> str:
    """A path with tokens, ~ and ${NAME}, which `ssh -G` leaves as they are."""
    whole = re.sub(r"\$\{(\w+)\}", lambda name: os.environ.get(name[1], ""), _replaced(text, names))
    return str(home() / whole[2:]) if whole.startswith("~/") else str(Path(whole).expanduser())


def _agent(said: str, names: dict[str, str]) -> str:
    if said.lower() == "none":
        return ""
    if said == "SSH_AUTH_SOCK" or re.fullmatch(r"\$\w+", said):
        return os.environ.get(said.lstrip("$"), "")
    return _path(said, names)


def _files(said: str) -> Iterator[Path]:
    """The files of a list, which `ssh -G` prints without quotation marks though a name may have blanks."""
    return (Path(_path(file, {})) for file in re.split(r"\s+(?=[/~])", said) if file)


def names(path: Path) -> list[str]:
    """The servers that an ssh configuration names, without patterns."""
    return sorted({name for name in _hosts(path, 0) if not set(name) & set("*?!")})


INCLUDES = 16
"""How deep ssh follows Include."""


def _hosts(path: Path, depth: int) -> Iterator[str]:
    if depth > INCLUDES or not path.is_file():
        return
    for line in path.read_text(errors="replace").splitlines():
        key, values = _setting(line)
        if key == "host":
            yield from values
        elif key == "include":
            for value in values:
                # relative names are of ~/.ssh, as for a user's file
                pattern = (home() / ".ssh" / _path(value, {})).relative_to("/")
                for file in sorted(Path("/").glob(str(pattern))):
                    yield from _hosts(file, depth + 1)


def _setting(line: str) -> tuple[str, list[str]]:
    """A line's key and values; of one that ssh would refuse, nothing."""
    try:
        words = shlex.split(re.sub(r"^(\s*\w+)\s*=", r"\1 ", line), comments=True)
    except ValueError:
        return "", []
    return (words[0].lower(), words[1:]) if words else ("", [])
