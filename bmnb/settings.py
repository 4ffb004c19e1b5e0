"""Parameters of a procedure: a dataclass whose fields carry their help, read from a client file."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import yaml

from bmnb.errors import InputError
from bmnb.files import replace_text
from bmnb.language import _

S = TypeVar("S")


CLIENT_FILE = "client.yaml"
"""Name of the client file in a run's folder."""


def setting(
    default: Any,
    help: str,
    *,
    label: str = "",
    unit: str = "",
    choices: Mapping[str, Any] | None = None,
    server: bool = False,
    offer: tuple[str, str] | None = None,
    exact: bool = False,
    group: str = "",
    means: Mapping[Any, str] | None = None,
    only: tuple[str, Any] | None = None,
    form: bool = True,
    formerly: Mapping[bool, Any] | None = None,
    frozen: bool = False,
    free: bool = False,
    becomes: tuple[Any, ...] = (),
    file: bool = False,
) -> Any:
    """A field with its help, and how a form asks for it; mutable defaults are copied.

    `choices` are the only values there are, by the text a form shows; a `server` is one of ssh's names.
    `offer` is a setting that names a server and a line that prints values found there, each with words on it; the value
    is one of them where it is `exact`. A form folds it up with others of its `group`, says what a choice `means`, and asks
    for it `only` where another setting has a value.
    `formerly` are the values that stood in client files while it was true or false, and what they are now.
    It may not change under the steps that rest on it, or they are done again (see `frozen`). On what is `frozen` all
    steps rest; on what is `free` none, such as how fast it goes or what a person accepts. `becomes` are values that it
    may take at any time, as ways out; a `file` is one of this machine, and elsewhere another.
    """
    texts = {
        "help": help,
        "label": label,
        "unit": unit,
        "choices": choices,
        "server": server,
        "offer": offer,
        "exact": exact,
        "group": group,
        "means": means or {},
        "only": only,
        "form": form,
        "frozen": frozen,
        "formerly": formerly or {},
        "free": free,
        "becomes": becomes,
        "file": file,
    }
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=texts)
    return dataclasses.field(default=default, metadata=texts)


def make(settings: type[S], values: Mapping[str, Any], source: str = "parameters") -> S:
    """Make settings from values. Raise InputError that names every unknown key and every wrong value."""
    wrong = problems(settings, values)
    if wrong:
        raise InputError(f"{source}:\n" + "\n".join(f"  {problem}" for problem in wrong))
    return settings(**renewed(settings, values))


def recorded(settings: type[S], values: Mapping[str, Any]) -> S:
    """Settings as a journal has them, by an earlier release, it may be; what this one does not know is left out."""
    known = {key: value for key, value in values.items() if key in defaults(settings)}
    return settings(**renewed(settings, known))


def problems(settings: type, values: Mapping[str, Any]) -> list[str]:
    """What is wrong with values, each in one line; one that is about a single parameter begins with its name."""
    types, values = get_type_hints(settings), renewed(settings, values)
    known = {key: value for key, value in values.items() if key in types}
    fitting = {key: value for key, value in known.items() if _fits(value, types[key])}
    wrong = [_unknown(key, list(types)) for key in values if key not in types]
    wrong += [
        f"{key}: {value!r} is not of type {_name(types[key])}"
        for key, value in known.items()
        if key not in fitting
    ]
    return wrong + list(getattr(settings(**fitting), "problems", lambda: [])())


def renewed(settings: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with those of earlier releases as they are now."""
    fields = {field.name: field.metadata.get("formerly", {}) for field in dataclasses.fields(settings)}
    return {
        key: fields[key].get(value, value) if isinstance(value, bool) and key in fields else value
        for key, value in values.items()
    }


def in_force(settings: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that count in a run's folder: those of its client file, and over them what differs from the defaults."""
    path = Path(values.get("folder") or "") / CLIENT_FILE
    if not values.get("folder") or not path.exists():
        return dict(values)
    usual = defaults(settings)
    return read(path) | {
        key: value for key, value in values.items() if key not in usual or value != usual[key]
    }


def ordered(settings: Any) -> list[dataclasses.Field[Any]]:
    """The fields of a settings class or instance: the procedure's own first, then those that all have."""
    kind = settings if isinstance(settings, type) else type(settings)
    own = vars(kind)["__annotations__"]
    return sorted(dataclasses.fields(kind), key=lambda field: field.name not in own)


def server_names(settings: Any) -> list[str]:
    """The servers of a run, as ssh names them."""
    values = [getattr(settings, field.name) for field in ordered(settings) if field.metadata["server"]]
    return [host for value in values for host in ([value] if isinstance(value, str) else value)]


def defaults(settings: type) -> dict[str, Any]:
    return {field.name: _default(field) for field in dataclasses.fields(settings)}


def write(path: Path, values: Mapping[str, Any]) -> None:
    """Write a client file; it is there whole or not at all."""
    replace_text(path, yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True))


def read(path: Path) -> dict[str, Any]:
    """The keys and values of a client file. Raise InputError where it is not a YAML mapping."""
    try:
        return mapping(path, "origin: mail.example.org")
    except ValueError as error:
        raise InputError(f"client file {path}: {error}") from error


def mapping(path: Path, example: str, empty: dict[str, Any] | None = None) -> dict[str, Any]:
    """The keys and values of a YAML file, or `empty` where it has no value. Raise ValueError that says what is wrong."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ValueError(str(error)) from error
    if values is None and empty is not None:
        return empty
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ValueError(f"expected lines like `{example}`")
    return values


def parameters_cell(settings: type, **values: Any) -> str:
    """The source of the notebook's cell with all parameters, as papermill reads it; `values` replace defaults."""
    return "\n".join(
        f"{field.name}: {_name(get_type_hints(settings)[field.name])} = "
        f"{_literal(values.get(field.name, _default(field)))}  # {about(field, 'help')}"
        for field in ordered(settings)
    )


def about(field: dataclasses.Field[Any], what: str) -> str:
    """The help or the unit of a field, in the language in use."""
    text = str(field.metadata[what])
    return _(text)


def _literal(value: Any) -> str:
    return repr(value) if isinstance(value, bool) else json.dumps(value)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _unknown(key: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
    return f"unknown parameter {key!r}: did you mean {nearest!r}?"


def _fits(value: Any, wanted: Any) -> bool:
    kind = get_origin(wanted) or wanted
    if isinstance(value, bool) and kind is not bool:
        return False
    if not isinstance(value, kind):
        return False
    inner = get_args(wanted)
    return not inner or all(isinstance(one, inner[-1]) for one in (value.values() if kind is dict else value))


def _name(wanted: Any) -> str:
    return wanted.__name__ if not get_args(wanted) else str(wanted)
