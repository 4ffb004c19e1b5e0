"""The parameters that every procedure has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import AddressValueError, IPv4Address

from bmnb.settings import setting
from bmnb.steps import slug


@dataclass(frozen=True)
class RunSettings:
    """Where a run is kept, how its servers are reached, who answers, and in which language."""

    planned_downtime: int = setting(
        0,
        "downtime that was announced to the users; 0: none",
        label="Planned downtime",
        unit="minutes",
        group="Report",
    )
    runs: str = setting("runs", "folder of the runs", form=False)
    folder: str = setting(
        "", "folder of this run; empty takes the client's unfinished run, or a new folder", form=False
    )
    ssh_config: str = setting(
        "~/.ssh/config",
        "ssh configuration of this machine",
        label="ssh configuration",
        frozen=True,
        file=True,
    )
    language: str = setting(
        "en",
        "language of tables, forms and messages: en or fr",
        label="Language",
        choices={"English": "en", "Français": "fr"},
        group="Report",
    )
    answers: dict[str, str] = setting(
        {}, "answers to confirmations and manual steps, by their key", form=False
    )
    dry_run: bool = setting(
        True,
        "show the plan; contact no server",
        label="Carry it out?",
        choices={"no, show the plan only": True, "yes, on the servers": False},
        means={
            True: "no server is contacted",
            False: "the cells act on the servers; what costs service or data asks first",
        },
    )

    def common_problems(self) -> list[str]:
        """What is wrong with these values, and with those that have to be one of a few, each in one line."""
        found = ["planned_downtime: at least 0"] if self.planned_downtime < 0 else []
        return found + [
            f"{one.name}: {getattr(self, one.name)!r} is not one of {', '.join(filter(None, map(str, known)))}"
            for one in fields(self)
            if (known := tuple((one.metadata["choices"] or {}).values()))
            if getattr(self, one.name) not in known
        ]


def platform_problems(client: str, address: str, servers: Mapping[str, str]) -> list[str]:
    """What is wrong with the names of a client and its servers, and with an address."""
    found = [
        f"{name}: {value!r} is not a server's name"
        for name, value in servers.items()
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value)
    ]
    if not slug(client):
        found.append(f"client: {client!r} has no letter or digit")
    try:
        IPv4Address(address)
    except AddressValueError as error:
        found.append(f"address: {error}")
    return found
