"""What is left for people to do when a major update is done."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.procedures.major_update.settings import Settings
from bmnb.procedures.updating_bluemind.left import left_to_do as of_an_update


def left_to_do(settings: Settings) -> Iterator[str]:
    yield from of_an_update(settings)
    yield "logins by CAS or OpenID: enter what 5 wants of each domain, and see that its identity provider is reached by its URL from the server"
