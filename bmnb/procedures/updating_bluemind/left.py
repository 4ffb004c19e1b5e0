"""What is left for people to do when an update is done."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.procedures.updating_bluemind.settings import Settings


def left_to_do(settings: Settings) -> Iterator[str]:
    yield f"{settings.core}: make the first backup of the new version; the one from before the update brings the old one back"
    yield "monitoring: end the maintenance that was announced there"
    if not settings.freeze:
        yield "system updates: they may update BlueMind as well, since its repositories are not frozen"
    yield "users: tell them that the service is back"
