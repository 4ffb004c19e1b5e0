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
    """Ask the servers, which are only read, for each field that has an offer.

    What is wrong with a server that cannot be asked is said once, at the field that names it.
    """
    silent = set[str]()
    with Servers(Path(values["ssh_config"]).expanduser()) as servers:
        for field in fields:
            named, line = field.metadata["offer"] or ("", "")
            if not named or named in silent:
                continue
            try:
                yield field.name, asked(servers, values[named], line)
            except BmnbError as error:
                silent.add(named)
                yield named, Offer((), str(error), wrong=True)


def asked(servers: Servers, host: str, line: str) -> Offer:
    """Raise BmnbError where the server cannot be asked."""
    found = servers.run(host, line, timeout=SECONDS)
    if not found.ok:
        return Offer((), f"{host}: {found.stderr.strip()}", wrong=True)
    lines = found.stdout.splitlines()
    return Offer(tuple(one.split(" ")[0] for one in lines), f"{host}: {', '.join(lines)}")


def contradicted(
    fields: list[dataclasses.Field[Any]], values: Mapping[str, Any], offered: Mapping[str, Offer]
) -> Iterator[str]:
    """A problem for each value that its server, as it was read, does not have; another one may have it."""
    for field in fields:
        offer, value = offered.get(field.name), values[field.name]
        if not field.metadata["exact"] or not value or not offer or not offer.values or value in offer.values:
            continue
        host = values[field.metadata["offer"][0]]
        others = [
            values[one.metadata["offer"][0]]
            for one in fields
            if one.name in offered and value in offered[one.name].values
        ]
        if others:
            yield f"{field.name}: {host} does not have {value}, but {others[0]} has: are they swapped?"
        else:
            yield f"{field.name}: {host} does not have {value}"
