"""The clients of a fleet: from client files, folders of them, or an inventory with groups and common values."""

from __future__ import annotations

import difflib
import glob
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from bmnb import settings
from bmnb.errors import InputError
from bmnb.folders import home
from bmnb.remote.config import Config
from bmnb.steps import Procedure, slug

FOR_GROUPS = ("clients", "groups", "at_once", "notices")
SECURITY = ("starttls", "tls", "none")
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Wishes:
    """When a client may be worked on. `downtime` is expected, in seconds; `groups` are those it counts in."""

    not_before: datetime | None = None
    not_after: datetime | None = None
    downtime: float | None = None
    priority: int = 0
    after: tuple[str, ...] = ()
    mail: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def as_json(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def from_json(cls, text: str) -> Wishes:
        found: dict[str, Any] = {
            key: tuple(one) if isinstance(one, list) else one for key, one in json.loads(text).items()
        }
        times = {key: moment(found[key]) for key in ("not_before", "not_after") if found[key]}
        return cls(**{**found, **times})


@dataclass(frozen=True)
class Member:
    """A client of the fleet: `source` is where its values stand, for messages."""

    name: str
    source: str
    values: Mapping[str, Any]
    wishes: Wishes = field(default_factory=Wishes)

    def as_json(self) -> str:
        """What stands in its client file; a time in it as text."""
        return json.dumps(dict(self.values), default=str)


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
class Members:
    """All clients, how many of a group may be worked on at once, and what the inventory says of notices."""

    all: tuple[Member, ...]
    limits: Mapping[str, int]
    notices: Notices


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
    reading.problems += [*_twice(reading.members), *_shared(reading), *_order(reading.members)]
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
        if not _is_count(group["at_once"]):
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
    own = {one.name for one in fields(Wishes)} - {"groups"} if groups else set()
    values = {"dry_run": False, **{key: value for key, value in given.items() if key not in own}}
    wishes, wrong = _wishes({key: value for key, value in given.items() if key in own}, groups)
    wrong += settings.problems(reading.procedure.settings, values)
    if not wrong and not slug(values.get("client", "")):
        wrong.append("client: a name with a letter or digit is missing")
    reading.problems += [f"{source}: {problem}" for problem in wrong]
    if not wrong:
        if "ssh_config" in values:
            values["ssh_config"] = str(Path(values["ssh_config"]).expanduser().absolute())
        reading.members.append(Member(slug(values["client"]), source, values, wishes))


def _wishes(given: Mapping[str, Any], groups: tuple[str, ...]) -> tuple[Wishes, list[str]]:
    """What a client's entry in an inventory asks for, and what is wrong in it."""
    wrong, found = list[str](), dict[str, Any]()
    for key in ("not_before", "not_after"):
        try:
            found[key] = moment(given[key]) if key in given else None
        except ValueError:
            wrong.append(f"{key}: {given[key]!r} is no time like 2026-01-31 22:00")
    if found.get("not_before") and found.get("not_after") and found["not_before"] >= found["not_after"]:
        wrong.append("not_after: the window ends before it begins")
    if "downtime" in given and not _is_count(given["downtime"]):
        wrong.append(f"downtime: {given['downtime']!r} is not a number of minutes")
    elif "downtime" in given:
        found["downtime"] = given["downtime"] * 60.0
    if not isinstance(given.get("priority", 0), int):
        wrong.append(f"priority: {given['priority']!r} is not a whole number")
    for key in ("after", "mail"):
        many = given.get(key, [])
        many = [many] if isinstance(many, str) else many
        if not isinstance(many, list) or not all(isinstance(one, str) for one in many):
            wrong.append(f"{key}: {many!r} is not a list of texts")
        else:
            found[key] = tuple(slug(one) if key == "after" else one for one in many)
    return Wishes(priority=given.get("priority", 0), groups=groups, **found) if not wrong else Wishes(), wrong


def moment(value: Any) -> datetime:
    """A time of an inventory; one without a zone is this machine's. Raise ValueError where it is none."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.astimezone()


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _twice(members: Sequence[Member]) -> Iterator[str]:
    first = dict[str, Member]()
    for one in members:
        if first.setdefault(one.name, one) is not one:
            yield f"{one.source}: client {one.name!r} stands in {first[one.name].source} too"


def _shared(reading: Reading) -> Iterator[str]:
    """What names a server that another client names, by any of ssh's names for it."""
    names = [one.name for one in settings.ordered(reading.procedure.settings) if one.metadata.get("server")]
    usual = settings.defaults(reading.procedure.settings)
    configs, first = dict[str, Config](), dict[object, Member]()
    for member in reading.members:
        values = {**usual, **member.values}
        file = str(Path(values["ssh_config"]).expanduser())
        config = configs.setdefault(file, Config(Path(file)))
        for server in dict.fromkeys(values[name] for name in names if values[name]):
            found = config.find(server)
            other = first.setdefault((found.jump, found.hostname, found.port), member)
            if other is not member:
                yield f"{member.source}: {server} ({found.hostname}) is a server of {other.source} too"


def _order(members: Sequence[Member]) -> Iterator[str]:
    known = [one.name for one in members]
    for one in members:
        for other in one.wishes.after:
            if other not in known:
                nearest = difflib.get_close_matches(other, known, n=1, cutoff=0.0)[0]
                yield f"{one.source}: after: no client {other!r}: did you mean {nearest!r}?"
    try:
        TopologicalSorter({one.name: one.wishes.after for one in members}).prepare()
    except CycleError as error:
        yield "after: each waits for the next: " + ", ".join(error.args[1])
