"""What a person has set once for all runs: in the environment, and in a file in the place that XDG names for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bmnb.errors import InputError
from bmnb.settings import read

VARIABLES = {"runs": "BMNB_RUNS", "language": "BMNB_LANG", "ssh_config": "BMNB_SSH_CONFIG"}
"""The parameters that can be set so, each with its variable; the variable goes before the file."""


def file() -> Path:
    """The file's place, whether it is there or not (XDG Base Directory Specification)."""
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(config).expanduser() / "bmnb" / "config.yaml"


def preferences() -> dict[str, Any]:
    """The values that are set. Raise InputError where the file is no YAML mapping or has another parameter."""
    found = read(file()) if file().exists() else {}
    if unknown := sorted(set(found) - set(VARIABLES)):
        raise InputError(
            f"{file()}: {', '.join(unknown)} cannot be set there, but {', '.join(VARIABLES)}\n"
            "  → what belongs to a client stands in the client file"
        )
    given = {key: os.environ[variable] for key, variable in VARIABLES.items() if os.environ.get(variable)}
    return {**found, **given}
