"""What the servers themselves offer as values of parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bmnb.errors import BmnbError
from bmnb.remote import Servers

SECONDS = 15.0


@dataclasses.dataclass(frozen=True)
class Offer:
    """Values for a parameter, and what the server says of them; `wrong` where it did not answer."""

    values: tuple[str, ...]
    said: str
    wrong: bool = False


def offers(fields: list[dataclasses.Field[Any]], values: Mapping[str, Any]) -> Iterator[tuple[str, Offer]]:
    """Ask the servers, which are only read, for each field that has an offer."""
    with Servers(Path(values["ssh_config"]).expanduser()) as servers:
        for field in fields:
            if field.metadata["offer"]:
                named, line = field.metadata["offer"]
                yield field.name, asked(servers, values[named], line)


def asked(servers: Servers, host: str, line: str) -> Offer:
    try:
        found = servers.run(host, line, timeout=SECONDS)
    except BmnbError as error:
        return Offer((), str(error), wrong=True)
    if not found.ok:
        return Offer((), f"{host}: {found.stderr.strip()}", wrong=True)
    lines = found.stdout.splitlines()
    return Offer(tuple(one.split(" ")[0] for one in lines), f"{host}: {', '.join(lines)}")
