"""The databases bj and bj-data: the same tables in both, other rows."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from .client import DOMAINS, EXTERNAL_URL, SERVER_UID, User, my_networks
from .here import ini, literal, variant
from .sessions import hashed

SQL = Path("/usr/lib/bmnb-standin/sql")
FEWEST_ROWS = 8_000


def create(partitions: int) -> None:
    """Role and both databases with their tables, as BlueMind's installation makes them."""
    role = "CREATE ROLE bj SUPERUSER CREATEDB LOGIN PASSWORD " + literal(ini()["password"])
    _as_postgres("psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", role)
    _as_postgres("createdb", "-O", "bj", "-E", "UTF8", "-l", "en_US.UTF-8", "-T", "template0", "bj")
    _run((SQL / "schema.sql").read_text(), "bj", partitions=str(partitions))
    _as_postgres("createdb", "-O", "bj", "-T", "bj", "bj-data")
    for name in ("bj", "bj-data"):
        _run(f"ALTER DATABASE \"{name}\" SET timezone TO 'GMT'", name)


def create_keycloak(role: str, token: str) -> None:
    """As the tag bm/keycloak does: a database of its own, and a realm a domain, which have the core's token.

    Tables and columns are Keycloak's own, a few of them; its role's name and how it logs in are not public.
    """
    _as_postgres("createdb", "-O", "bj", "-E", "UTF8", "-l", "en_US.UTF-8", "-T", "template0", "keycloak")
    domains = DOMAINS if role != "target" else DOMAINS[:1]
    rows = "".join(
        f"{one.uid}\t{hashlib.sha256(f'{role} {one.uid}'.encode()).hexdigest()[:32]}\n" for one in domains
    )
    given = {"token": token, "ip": ini()["host"]}
    _run((SQL / "keycloak.sql").read_text().replace("@ROWS@", rows), "keycloak", **given)
    properties = (
        f"CREATE TEMP TABLE secrets (realm text, secret text);\nCOPY secrets FROM STDIN;\n{rows}\\.\n"
    )
    _run(properties + (SQL / "openid.sql").read_text(), "bj", **given)


def fill_directory(users: list[User], ip: str, role: str) -> None:
    """The directory, in bj."""
    people = "".join(
        f"{one.number}\t{one.login}\t{one.display}\t{one.domain.uid}\t{one.domain.name}\n" for one in users
    )
    domains = "".join(f"{one.uid}\t{one.name}\t{one.label}\t{{{','.join(one.aliases)}}}\n" for one in DOMAINS)
    given = {
        "version": variant().version,
        "url": EXTERNAL_URL,
        "ip": ip,
        "networks": my_networks(ip),
        "server": SERVER_UID,
        "setup": f"setup-{role}",
        "password": hashed(f"admin-{role}"),
    }
    script = f"""CREATE TEMP TABLE people (n integer, login text, display text, domain text, mail text);
COPY people FROM STDIN;
{people}\\.
CREATE TEMP TABLE domains (uid text, name text, label text, aliases text[]);
COPY domains FROM STDIN;
{domains}\\.
"""
    _run(script + (SQL / "directory.sql").read_text(), "bj", **given)


def fill_content(users: list[User], rows: int, seed: int) -> None:
    """Mail and appointments, in bj-data."""
    given = {"users": str(len(users)), "rows": str(max(rows, FEWEST_ROWS)), "seed": str(seed)}
    _run((SQL / "content.sql").read_text(), "bj-data", version=variant().version, **given)


def _as_postgres(*command: str) -> None:
    subprocess.run(["runuser", "-u", "postgres", "--", *command], cwd="/", check=True)


def _run(script: str, database: str, **variables: str) -> None:
    given = [word for key, value in variables.items() for word in ("-v", f"{key}={value}")]
    subprocess.run(
        [
            "psql",
            "-Xq1",
            "-f",
            "-",
            "-v",
            "ON_ERROR_STOP=1",
            "-o",
            "/dev/null",
            "-U",
            "bj",
            "-h",
            "localhost",
            *given,
            database,
        ],
        input=script,
        text=True,
        env={**os.environ, "PGPASSWORD": ini()["password"]},
        check=True,
    )
