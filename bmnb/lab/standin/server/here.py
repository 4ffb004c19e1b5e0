"""What this server is, and how the stand-in reads its own configuration and databases."""

from __future__ import annotations

import os
import subprocess
import threading
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

from .variants import VARIANTS, Variant

MARK = Path("/etc/bmnb-standin")
INI = Path("/etc/bm/bm.ini")
TOKEN = Path("/etc/bm/bm-core.tok")
LOG = Path("/var/log/bm/core.log")


class Fault(Exception):
    """BlueMind's ServerFault. Its codecs answer it with HTTP 500, whatever the code."""

    def __init__(self, code: str, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.code, self.status = code, status


@cache
def facts() -> dict[str, str]:
    """Role, Debian's codename, BlueMind's release and family, as they were given when the stand-in was installed."""
    return dict(line.split("=", 1) for line in MARK.read_text().splitlines())


def variant() -> Variant:
    return VARIANTS[facts()["bluemind"]]


def has_cyrus() -> bool:
    """Whether a real Cyrus has the mail of this server."""
    return facts().get("mail") == "cyrus"


def parse_ini(text: str) -> dict[str, str]:
    """The keys of bm.ini; spaces around the = are optional."""
    pairs = [line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] not in "#;["]
    return {key.strip(): value.strip() for key, value in pairs}


def ini() -> dict[str, str]:
    return parse_ini(INI.read_text()) if INI.exists() else {}


def token() -> str:
    return TOKEN.read_text().strip() if TOKEN.exists() else ""


def sql(text: str, database: str = "bj") -> list[list[str]]:
    """Rows of a query, each a list of texts."""
    if not INI.exists():
        raise Fault("UNKNOWN", "not installed")
    done = subprocess.run(
        ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-F", "\t", "-U", "bj", "-h", "localhost", database],
        input=text,
        env={**os.environ, "PGPASSWORD": ini()["password"]},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Fault("SQL_ERROR", done.stderr.strip())
    return [line.split("\t") for line in done.stdout.splitlines()]


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def redhat() -> bool:
    return facts().get("family") == "redhat"


def software(package: str = "bm-core") -> str:
    """Version of an installed package."""
    asked = (
        ["rpm", "-q", "--qf", "%{VERSION}", package]
        if redhat()
        else ["dpkg-query", "-W", "-f", "${Version}", package]
    )
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def release_name() -> str:
    """The public name of what is installed; a rehearsal may give it another one in /etc/bmnb-standin."""
    given = variant().newer_name if software() == variant().newer else variant().name
    return facts().get("name", given)


def log(source: str, message: str, level: str = "INFO") -> None:
    """A line of core.log, in the format of its Java services; its clock is GMT."""
    now = datetime.now(timezone.utc)
    endpoint = "[none:anon] " if variant().log_endpoint else ""
    line = f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03} [{threading.current_thread().name}] {endpoint}{source} {level} - {message}\n"
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a") as file:
        file.write(line)
