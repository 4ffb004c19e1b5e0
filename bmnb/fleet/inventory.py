"""Reading a fleet's clients: client files, folders of them, or an inventory with groups and common values."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bmnb import settings
from bmnb.errors import InputError
from bmnb.fleet.conflicts import conflicts
from bmnb.fleet.members import Member, Members
from bmnb.fleet.notices import Notices
from bmnb.fleet.wishes import ASKED, is_count, wishes
from bmnb.folders import home
from bmnb.steps import Procedure, slug

FOR_GROUPS = ("clients", "groups", "at_once", "notices")
SUFFIXES = (".yaml", ".yml")


@dataclass
class Reading:
    """What was read so far, with everything that is wrong in it."""

    procedure: Procedure
    members: list[Member] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    notices: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def gather(procedure: Procedure, sources: Sequence[str]) -> Members:
    """The clients of these files, folders and patterns. Raise InputError that names everything that is wrong."""
    reading = Reading(procedure)
    for path in paths(sources, reading.problems):
        try:
            _read(reading, path)
        except InputError as error:
            reading.problems.append(str(error))
    reading.problems += conflicts(procedure, reading.members)
    if not reading.members and not reading.problems:
        reading.problems.append("no client file in " + ", ".join(sources))
    reading.problems += [f"notices: {one}" for one in settings.problems(Notices, reading.notices)]
    if reading.problems:
        raise InputError("nothing was started:\n" + "\n".join(reading.problems))
    return Members(tuple(reading.members), reading.limits, Notices(**reading.notices))


def paths(sources: Iterable[str], problems: list[str]) -> Iterator[Path]:
    """The files that are meant, each once, in their order."""
    seen = set[Path]()
    for source in sources:
        found = [Path(one) for one in sorted(glob.glob(str(Path(source).expanduser())))]  # noqa: PTH207
        if not found:
            problems.append(f"{source}: no such file or folder")
        for one in found:
            inside = (
                sorted(path for path in one.iterdir() if path.suffix in SUFFIXES) if one.is_dir() else [one]
            )
            yield from (path for path in inside if path.resolve() not in seen)
            seen |= {path.resolve() for path in inside}


def _read(reading: Reading, path: Path) -> None:
    values = settings.read(path)
    if {"clients", "groups"} & values.keys():
        reading.notices |= values.get("notices") or {}
        _group(reading, path, "", values, {}, ())
        return
    folder = home(path)
    _member(reading, str(path), {**values, **({"folder": str(folder)} if folder else {})}, ())


def _group(
    reading: Reading,
    path: Path,
    name: str,
    group: Mapping[str, Any],
    inherited: Mapping[str, Any],
    groups: tuple[str, ...],
) -> None:
    """The clients of a group and of the groups in it. What a client says counts before what its group says."""
    common = {**inherited, **{key: value for key, value in group.items() if key not in FOR_GROUPS}}
    if "at_once" in group:
        reading.limits[name] = group["at_once"]
        if not is_count(group["at_once"]):
            reading.problems.append(f"{path}: at_once: {group['at_once']!r} is not a number from 1 on")
    for number, one in enumerate(group.get("clients") or [], 1):
        source = f"{path}, client {number}{f' of {name}' if name else ''}"
        if not isinstance(one, dict):
            reading.problems.append(f"{source}: expected lines like `origin: mail.example.org`")
            continue
        given = {key: value for key, value in one.items() if key != "file"}
        from_file = settings.read(path.parent / one["file"]) if "file" in one else {}
        _member(reading, source, {**common, **from_file, **given}, (*groups, name))
    for inner, members in (group.get("groups") or {}).items():
        _group(reading, path, inner, members, common, (*groups, name))


def _member(reading: Reading, source: str, given: Mapping[str, Any], groups: tuple[str, ...]) -> None:
    own = ASKED if groups else set()
    values = {"dry_run": False, **{key: value for key, value in given.items() if key not in own}}
    asked, wrong = wishes({key: value for key, value in given.items() if key in own}, groups)
    wrong += settings.problems(reading.procedure.settings, values)
    if not wrong and not slug(values.get("client", "")):
        wrong.append("client: a name with a letter or digit is missing")
    reading.problems += [f"{source}: {problem}" for problem in wrong]
    if not wrong:
        if "ssh_config" in values:
            values["ssh_config"] = str(Path(values["ssh_config"]).expanduser().absolute())
        reading.members.append(Member(slug(values["client"]), source, values, asked))
