"""Several labs as the clients of a fleet: an origin and a target each, in one inventory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from bmnb.lab.host import LABS
from bmnb.lab.platform import Lab


def names(name: str, clients: int) -> list[str]:
    """The labs of so many clients."""
    return [f"{name}-{number}" for number in range(1, clients + 1)] if clients > 1 else [name]


def entry(lab: Lab, **more: Any) -> dict[str, Any]:
    """A lab as a client of an inventory, with the answers that erase and switch it."""
    answers = {"erase-target": "target", "stop-service": "origin", "switch-servers": "origin"}
    return {
        "client": lab.name,
        "origin": "origin",
        "target": "target",
        "address": lab.origin.address,
        "ssh_config": str(lab.ssh_config),
        "answers": answers,
        **more,
    }


def inventory(name: str) -> Path:
    """The place of the inventory of several labs."""
    return LABS / f"{name}.yaml"


def write_inventory(name: str, labs: Sequence[Lab]) -> Path:
    """Write the inventory of these labs, and return its path."""
    path = inventory(name)
    path.write_text(yaml.safe_dump({"clients": [entry(lab) for lab in labs]}, sort_keys=False))
    return path
