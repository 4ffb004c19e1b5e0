"""What a person has set once for all runs: in the environment, and in a file in the place that XDG names for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bmnb.errors import InputError
from bmnb.language import LANGUAGES
from bmnb.settings import mapping

VARIABLES = {"runs": "BMNB_RUNS", "language": "BMNB_LANG", "ssh_config": "BMNB_SSH_CONFIG"}
"""The parameters that can be set so, each with its variable; the variable goes before the file."""


def file() -> Path:
    """The file's place, whether it is there or not (XDG Base Directory Specification)."""
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(config).expanduser() / "bmnb" / "config.yaml"


def preferences() -> dict[str, Any]:
    """The values that are set. Raise InputError where one is wrong, with the place where it stands."""
    given = {key: os.environ[variable] for key, variable in VARIABLES.items() if os.environ.get(variable)}
    places = dict.fromkeys(VARIABLES, str(file())) | {key: VARIABLES[key] for key in given}
    values = {**_of_file(), **given}
    for key, value in values.items():
        if not isinstance(value, str):
            raise InputError(f"{places[key]}: {key}: {value!r} is not of type str")
        if key == "language" and value not in LANGUAGES:
            raise InputError(f"{places[key]}: {key}: {value!r} is not one of {', '.join(LANGUAGES)}")
    return values


def _of_file() -> dict[str, Any]:
    """A file without a value, such as one of comments alone, sets none."""
    if not file().exists():
        return {}
    try:
        found = mapping(file(), "language: fr", {})
    except ValueError as error:
        raise InputError(f"configuration {file()}: {error}") from error
    if unknown := sorted(set(found) - set(VARIABLES)):
        raise InputError(
            f"{file()}: {', '.join(unknown)} cannot be set there, but {', '.join(VARIABLES)}\n"
            "  → what belongs to a client stands in the client file"
        )
    return found
