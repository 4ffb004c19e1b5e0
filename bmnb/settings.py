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

S = TypeVar("S")


def setting(default: Any, help: str) -> Any:
    """A field with its help; mutable defaults are copied."""
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata={"help": help})
    return dataclasses.field(default=default, metadata={"help": help})


def make(settings: type[S], values: Mapping[str, Any], source: str = "parameters") -> S:
    """Make settings from values. Raise InputError that names every unknown key and every wrong type."""
    types = get_type_hints(settings)
    problems = [_unknown(key, list(types)) for key in values if key not in types]
    problems += [
        f"{key}: {value!r} is not of type {_name(types[key])}"
        for key, value in values.items()
        if key in types and not _fits(value, types[key])
    ]
    if not problems:
        made = settings(**values)
        problems = list(getattr(made, "problems", lambda: [])())
        if not problems:
            return made
    raise InputError(f"{source}:\n" + "\n".join(f"  {problem}" for problem in problems))


def read(path: Path) -> dict[str, Any]:
    """The keys and values of a client file. Raise InputError where it is not a YAML mapping."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"client file {path}: {error}") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise InputError(f"client file {path}: expected lines like `origin: mail.example.org`")
    return values


def parameters_cell(settings: type) -> str:
    """The source of the notebook's cell with all parameters, as papermill reads it."""
    return "\n".join(
        f"{field.name}: {_name(get_type_hints(settings)[field.name])} = "
        f"{_literal(_default(field))}  # {field.metadata['help']}"
        for field in dataclasses.fields(settings)
    )


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
