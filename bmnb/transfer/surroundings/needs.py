"""Whether the target has what the origin's databases need of their server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from shlex import quote
from typing import Any

from bmnb.bluemind.paths import DATABASES
from bmnb.steps import Result, Row, Verdict
from bmnb.transfer.surroundings.asking import Told, read, unasked


def judged(judge: Callable[[Told, Told], Verdict]) -> Callable[[Result, Result], Verdict]:
    """A judge of what was told, as one of a check's results."""

    def of_results(origin: Result, target: Result) -> Verdict:
        return unasked(origin, target) or judge(read(origin), read(target))

    return of_results


def _verdict(rows: Iterable[Row], held: str) -> Verdict:
    items = tuple(rows)
    return Verdict(not items, "; ".join(f"{one['item']}: {one['what']}" for one in items[:5]) or held, items)


def _each(told: Told, key: str) -> Iterator[tuple[str, str]]:
    """(database, name) of what the databases name under a key."""
    for database, one in told.databases.items():
        for name in one[key] or ():
            yield database, name


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


@judged
def extensions(origin: Told, target: Told) -> Verdict:
    """A dump names no version of an extension: the target's own is installed, which may be newer but not older."""
    available = target.server["available"] or {}
    wanted = {
        (name, origin.databases[database]["extensions"][name])
        for database, name in _each(origin, "extensions")
    }
    rows = []
    for name, version in sorted(wanted):
        if name not in available:
            rows.append({"item": name, "what": f"no {name}.control on the target; the origin has {version}"})
        elif number(available[name]) < number(version):
            rows.append({"item": name, "what": f"{version} on the origin, {available[name]} on the target"})
    newer = sorted(
        f"{name} {version} to {available[name]}"
        for name, version in wanted
        if available.get(name, version) != version
    )
    return _verdict(
        rows, ", ".join(newer) or ", ".join(sorted(f"{name} {version}" for name, version in wanted))
    )


@judged
def tablespaces(origin: Told, target: Told) -> Verdict:
    ours, places = {name for name, _ in target.list("tablespaces")}, dict(origin.list("tablespaces"))
    used = {name for _, name in _each(origin, "tablespaces")}
    rows = [
        {
            "item": name,
            "what": f"absent on the target; it lies in {places[name]} on the origin",
            "line": _make(name, places[name]),
        }
        for name in sorted(used - ours)
    ]
    return _verdict(rows, ", ".join(sorted(used)) or "none but PostgreSQL's own")


def _make(name: str, place: str) -> str:
    """How an administrator makes a tablespace on the target."""
    named, lies = name.replace('"', '""'), place.replace("'", "''")
    statement = f"CREATE TABLESPACE \"{named}\" LOCATION '{lies}'"
    return f"install -d -o postgres -m 700 {quote(place)}; runuser -u postgres -- psql -c {quote(statement)}"


def locales(origin: Result, target: Result, installed: Result) -> Verdict:
    """Locales and collations of the databases and their columns; `installed` is what `locale -a` prints on the target."""
    unmade = unasked(origin, target, installed)
    if unmade:
        return unmade
    theirs, ours = read(origin), read(target)
    there = {plain(name) for name in installed.stdout.split()} | {"c", "posix", ""}
    known = set(ours.list("collations"))
    rows: list[Row] = []
    for database in theirs.databases:
        one = theirs.all_of(database)
        if one["provider"] != "c":
            rows.append(
                {"item": database, "what": "its texts are sorted by another library than the system's"}
            )
        rows += [
            {"item": one[part], "what": f"locale of {database}, absent on the target"}
            for part in ("collate", "ctype")
            if plain(one[part]) not in there
        ]
        for collation in one["collations"] or ():
            if collation["provider"] == "i" or (not collation["own"] and collation["name"] in known):
                continue
            if plain(collation["locale"] or "") not in there:
                rows.append(
                    {
                        "item": collation["name"],
                        "what": f"collation in {database}, whose locale is absent on the target",
                    }
                )
    unique = {(row["item"], row["what"]): row for row in rows}
    return _verdict(
        unique.values(), ", ".join(sorted({theirs.all_of(one)["collate"] for one in theirs.databases}))
    )


LIBRARY = "getconf GNU_LIBC_VERSION"
"""A line that prints the version of what sorts texts."""


def collation_versions(origin: Result, target: Result, *libraries: Result) -> Verdict:
    """The copy's indexes are made on the target, as its library sorts; the origin's by what it had at that time."""
    unmade = unasked(origin, target, *libraries)
    if unmade:
        return unmade
    rows = [
        {"item": database, "what": f"{name} sorted by version {had} when its indexes were made, by {has} now"}
        for database, one in read(origin).databases.items()
        for name, had, has in one["outgrown"]
    ]
    theirs, ours = (one.stdout.strip() for one in libraries)
    return _verdict(
        rows, theirs if theirs == ours else f"{theirs}; {ours} on the target, by which they are made anew"
    )


def plain(locale: str) -> str:
    """A locale as `locale -a` and PostgreSQL both mean it: en_US.utf8 and en_US.UTF-8 are one."""
    return locale.lower().replace("-", "")


@judged
def roles(origin: Told, target: Told) -> Verdict:
    """They are carried: this tells which come and which change; one that is superuser there is so here."""
    ours = {one["name"]: one for one in target.list("roles")}
    rows = [
        {"item": one["name"], "what": "comes" if one["name"] not in ours else "becomes as on the origin"}
        for one in origin.list("roles")
        if one != ours.get(one["name"]) and one["name"] != "bj"
    ]
    seen = "; ".join(f"{one['item']}: {one['what']}" for one in rows) or "the same on both"
    return Verdict(True, seen, tuple(rows))


@judged
def not_carried(origin: Told, target: Told) -> Verdict:
    """What the target's PostgreSQL does not take, or what must not go on in two places."""
    known = {name.lower() for name in target.list("known")}
    rows: list[Row] = [
        {
            "item": setting,
            "what": f"setting of {_of(database, role)} that PostgreSQL of the target does not know",
        }
        for database, role, setting in _settings(origin)
        if "." not in setting.partition("=")[0] and setting.partition("=")[0].lower() not in known
    ]
    rows += [
        {
            "item": name,
            "what": f"subscription in {database}: it would take its changes from the same slot as the origin",
        }
        for database, name in _each(origin, "subscriptions")
    ]
    rows += _configured(origin.server["configured"], target.server["configured"])
    for database in origin.databases:
        one = origin.all_of(database)
        if one["tablespace"] != "pg_default":
            rows.append(
                {"item": database, "what": f"it lies in {one['tablespace']}, on the target in pg_default"}
            )
        if one["collate"] != one["ctype"]:
            rows.append(
                {
                    "item": database,
                    "what": f"sorts by {one['collate']}, and has the letters of {one['ctype']}",
                }
            )
    return _verdict(rows, "none")


def _configured(theirs: dict[str, str], ours: dict[str, str]) -> Iterator[Row]:
    """What an extension or many sessions need, and PostgreSQL's own configuration gives."""
    for name, there in theirs.items():
        here = ours.get(name, "")
        if name == "shared_preload_libraries":
            missing = (
                {one.strip() for one in there.split(",")} - {one.strip() for one in here.split(",")} - {""}
            )
            for one in sorted(missing):
                yield {"item": one, "what": "loaded with PostgreSQL on the origin only"}
        elif int(there) > int(here):
            yield {"item": name, "what": f"{there} on the origin, {here} on the target"}


def _of(database: str | None, role: str | None) -> str:
    return " in ".join(one for one in (role, database) if one) or "all roles"


def _settings(told: Told) -> Iterator[tuple[str | None, str | None, str]]:
    """(database, role, name=value) of what is carried: of roles, and of the databases that are."""
    for database, role, setting in told.list("settings"):
        if database is None or database in told.databases:
            yield database, role, setting


@judged
def same(origin: Told, target: Told) -> Verdict:
    """Roles with their grants and settings; owner, rights, limit, comment, settings, publications of each database."""
    rows = [*_roles_differ(origin, target), *_settings_differ(origin, target)]
    facts = (
        "owner",
        "encoding",
        "collate",
        "ctype",
        "connection limit",
        "comment",
        "rights",
        "publications",
    )
    for database in origin.databases:
        if database not in target.databases:
            rows.append({"item": database, "what": "absent", "origin": "there", "target": "absent"})
            continue
        theirs, ours = origin.all_of(database), target.all_of(database)
        for fact in facts:
            there, here = theirs[fact], ours[fact]
            if fact in ("collate", "ctype"):
                there, here = plain(there), plain(here)
            if not alike(there, here):
                rows.append({"item": database, "what": fact, "origin": str(there), "target": str(here)})
    seen = "; ".join(f"{one['item']}: {one['what']}" for one in rows[:5])
    return Verdict(
        not rows, seen or f"{len(origin.list('roles'))} roles, {len(origin.databases)} databases", tuple(rows)
    )


def alike(there: Any, here: Any) -> bool:
    """Equal, in whatever order, but for what only the newer PostgreSQL tells."""
    if isinstance(there, dict) and isinstance(here, dict):
        return all(alike(there[key], here[key]) for key in there.keys() & here.keys())
    if isinstance(there, list) and isinstance(here, list):
        pairs = zip(sorted(there, key=_key), sorted(here, key=_key), strict=False)
        return len(there) == len(here) and all(alike(one, other) for one, other in pairs)
    return bool(there == here)


def _key(one: Any) -> str:
    """What sorts publications and tables by their names, and rights as they stand."""
    return str(
        [one.get("pubname"), one.get("schemaname"), one.get("tablename")] if isinstance(one, dict) else one
    )


def _roles_differ(origin: Told, target: Told) -> Iterator[Row]:
    ours = {one["name"]: one for one in target.list("roles")}
    for one in origin.list("roles"):
        other = ours.get(one["name"], {})
        for fact, there in one.items():
            # the password of bj comes from bm.ini, in the form that the target's PostgreSQL gives it
            if other.get(fact) != there and (one["name"], fact) != ("bj", "password"):
                yield {
                    "item": one["name"],
                    "what": fact,
                    "origin": str(there),
                    "target": str(other.get(fact)),
                }
    granted = {(one["role"], one["member"]): one for one in target.list("members")}
    for one in origin.list("members"):
        other = granted.get((one["role"], one["member"]), {})
        # only from PostgreSQL 16 on a membership has more than the right to pass it on
        facts = [fact for fact, value in one.items() if value is not None and other.get(fact) != value]
        if facts:
            what = f"member of {one['role']}: {', '.join(facts)}"
            yield {"item": one["member"], "what": what, "origin": str(one), "target": str(other or "absent")}


def _named(setting: str) -> tuple[str, str]:
    name, _, value = setting.partition("=")
    return name, value


def _settings_differ(origin: Told, target: Told) -> Iterator[Row]:
    known = {name.lower() for name in target.list("known")}
    theirs, ours = ({(d, r, *_named(s)) for d, r, s in _settings(told)} for told in (origin, target))
    names = {one["name"] for one in origin.list("roles")}
    for database, role, name, value in sorted(theirs ^ ours, key=str):
        here = (database, role, name, value) in ours
        carried = here or "." in name or name.lower() in known
        of_others = here and database is None and role not in names
        if carried and not of_others and not (here and database in DATABASES and name.lower() == "timezone"):
            yield {
                "item": _of(database, role),
                "what": name,
                "origin": "absent" if here else value,
                "target": value if here else "absent",
            }
