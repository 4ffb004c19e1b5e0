"""Whether PostgreSQL can be reached as the procedure reaches it: who is let in, at which port, by which programs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from bmnb.bluemind.paths import ini
from bmnb.steps import Result, Row, Verdict

# links in /usr/bin lead to some of PGDG's programs for RedHat's family, and not to this one
ANSWERS = 'PATH="$PATH:$(printf %s: /usr/pgsql-*/bin)" pg_isready'
"""It asks for no password, and ends with 1 where PostgreSQL takes no connections, with 2 where nothing answers."""


def answers(asked: Result) -> Verdict:
    return Verdict(asked.ok, "yes" if asked.ok else f"PostgreSQL does not answer on {asked.host}")


_FILES = (
    "ls /etc/postgresql/*/*/pg_hba.conf /var/lib/pgsql/data/pg_hba.conf /var/lib/pgsql/*/data/pg_hba.conf"
)

LETS_IN = f"""cd / && LC_ALL=C runuser -u postgres -- psql -wXAtc 'SHOW hba_file' -d postgres && exit
{_FILES} 2> /dev/null; exit 2"""
"""A line that prints the file in which PostgreSQL says whom it lets in, from itself where it does so."""


def let_in(asked: Result) -> Verdict:
    """Not to be let in is another thing than that nothing answers."""
    files = " or ".join(asked.stdout.split()) or "pg_hba.conf"
    if asked.ok:
        return Verdict(True, files)
    said = asked.stderr.strip().splitlines()[-1:] or ["no answer"]
    if "server running" in asked.stderr or "Connection refused" in asked.stderr:
        return Verdict.unmade(said[0])
    return Verdict(
        False, f"{asked.host}: {files} wants a password of the local socket, or refuses it: {said[0]}"
    )


_IDENTIFIER = "SELECT system_identifier FROM pg_control_system()"

SAME = f"""port=$({ini("port")}); port=${{port:-5432}}
echo "$port" && cd / && runuser -u postgres -- psql -wXAtc '{_IDENTIFIER}' -d postgres || exit
PGPASSWORD=$({ini("password")}) psql -wXAt -U bj -h localhost -p "$port" -d bj -c '{_IDENTIFIER}'"""
"""A line that prints the port of bm.ini, and which PostgreSQL answers at the usual socket, and which there."""


def one_cluster(*servers: Result) -> Verdict:
    rows: list[Row] = []
    for one in servers:
        port, *found = one.stdout.split() or [""]
        said = one.stderr.strip().splitlines()[-1:] or ["no answer"]
        if not found:
            return Verdict.unmade(f"{one.host}: {said[0]}")
        if len(found) < 2:
            rows.append({"item": one.host, "what": f"at port {port or 'unknown'}, as bj: {said[0]}"})
        elif found[0] != found[1]:
            rows.append(
                {"item": one.host, "what": f"bm.ini names port {port}, and another PostgreSQL is at 5432"}
            )
        elif port != "5432":
            rows.append({"item": one.host, "what": f"bm.ini names port {port}"})
    return Verdict(
        not rows, "; ".join(f"{one['item']}: {one['what']}" for one in rows) or "at 5432", tuple(rows)
    )


# From 2025 on pg_dump writes \restrict into a dump of SQL, which a psql of before takes for an error.
PROGRAMS = r"""cd / && runuser -u postgres -- psql -wXAtc "SELECT 'server ' || current_setting('server_version_num')" -d postgres || exit
for program in psql pg_dump pg_restore createdb dropdb vacuumdb; do
  echo "$program $(runuser -u postgres -- $program --version 2> /dev/null | grep -oE '[0-9]+(\.[0-9]+)?' | head -n 1)"
done
runuser -u postgres -- pg_dump --help | grep -q restrict-key && echo 'writes restrict'
printf '\\restrict a\n\\unrestrict a\n' | runuser -u postgres -- psql -wXq -v ON_ERROR_STOP=1 -d postgres 2> /dev/null && echo 'reads restrict'
exit 0"""
"""A line that prints PostgreSQL's number and the versions of its programs."""


def programs(literal: bool, origin: Result, target: Result) -> Verdict:
    """pg_dump must not be older than its server, nor newer than the programs that read its dump."""
    theirs, ours = _versions(origin), _versions(target)
    if "server" not in theirs or "server" not in ours:
        return Verdict.unmade((origin.stderr + target.stderr).strip())
    missing = [
        f"{one.host}: no {name}"
        for one, found in ((origin, theirs), (target, ours))
        for name in found
        if found[name] == ()
    ]
    if missing:
        return Verdict(False, "; ".join(missing))
    dump, there, here = theirs["pg_dump"][0], theirs["server"][0], ours["server"][0]
    wrong = []
    if dump < there:
        wrong.append(f"pg_dump {dump} of the origin is older than PostgreSQL {there} there")
    if dump > min(here, ours["pg_restore"][0], ours["psql"][0]):
        wrong.append(
            f"pg_dump {dump} of the origin is newer than what reads its dump on the target: PostgreSQL {here}"
        )
    if literal and "writes" in theirs and "reads" not in ours:
        wrong.append("pg_dump of the origin writes \\restrict, which psql of the target does not read")
    return Verdict(not wrong, "; ".join(wrong) or f"pg_dump {dump}, pg_restore {ours['pg_restore'][0]}")


def _versions(told: Result) -> dict[str, tuple[int, ...]]:
    """Major versions by program; empty where one is not there."""
    found: dict[str, tuple[int, ...]] = {}
    for line in told.stdout.splitlines():
        name, _, version = line.partition(" ")
        numbers = [int(part) for part in re.findall(r"\d+", version)]
        if name == "server" and numbers:
            numbers = [numbers[0] // 10000]
        found[name] = tuple(numbers) if name not in ("writes", "reads") else (1,)
    return found


_NAMES = "SELECT coalesce(json_agg(datname), '[]') FROM pg_database WHERE NOT datistemplate"
_KEYCLOAK = "SELECT to_json(current_database()) WHERE to_regclass('public.realm') IS NOT NULL AND to_regclass('public.component_config') IS NOT NULL"

OTHERS = f"""cd / && for socket in /var/run/postgresql/.s.PGSQL.*[0-9] /tmp/.s.PGSQL.*[0-9]; do
  [ -S "$socket" ] || continue
  port=${{socket##*.}}; echo "$port $(runuser -u postgres -- psql -wXAt -h "$(dirname "$socket")" -p "$port" -d postgres -c "{_NAMES}")"
done | sort -u"""
"""A line that prints each cluster's port and the names of its databases, as JSON; the port alone of one that tells nothing."""


def no_others(carried: Sequence[str], found: Result) -> Verdict:
    """Databases that are not BlueMind's, of whatever cluster."""
    if not found.stdout:
        return Verdict.unmade("no socket of PostgreSQL is at its usual places")
    rows: list[Row] = []
    for line in filter(None, found.stdout.split("\n")):
        port, _, names = line.partition(" ")
        known = (*carried, "postgres") if port == "5432" else ("postgres",)
        told = json.loads(names) if names else ["(it cannot be asked)"]
        rows += [{"database": name, "port": port} for name in told if name not in known]
    named = ", ".join(
        one["database"] if one["port"] == "5432" else f"{one['database']} at port {one['port']}"
        for one in rows
    )
    return Verdict(not rows, named or "none", tuple(rows))


WHICH_KEYCLOAK = f"""cd / && runuser -u postgres -- psql -wXAtc "SELECT datname FROM pg_database WHERE NOT datistemplate AND datallowconn" -0 -d postgres |
  while IFS= read -r -d '' name; do PGDATABASE="$name" runuser -u postgres -- psql -wXAtc "{_KEYCLOAK}" || exit; done"""
"""A line that prints the databases with Keycloak's tables, as JSON."""


def keycloak_is(name: str, origin: Result, target: Result) -> Verdict:
    """Where the origin has one, the target has one too, of the name that is carried."""
    if not (origin.ok and target.ok):
        return Verdict.unmade((origin.stderr + target.stderr).strip())
    theirs, ours = ([json.loads(line) for line in one.stdout.split("\n") if line] for one in (origin, target))
    others = [one for one in theirs if one != name]
    if others:
        return Verdict(False, f"the origin's is {', '.join(others)}; keycloak_database says {name}")
    if theirs and name not in ours:
        return Verdict(False, f"the origin has {name}, the target has none")
    return Verdict(True, name if theirs else "none")
