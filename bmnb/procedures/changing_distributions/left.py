"""What is left for people to do when a migration is done."""

from __future__ import annotations

from collections.abc import Iterator

from bmnb.procedures.changing_distributions.settings import NEW_ADDRESS, Settings


def left_to_do(settings: Settings) -> Iterator[str]:
    origin, target, address = settings.origin, settings.target, settings.serves_at
    yield (
        f"{origin}: decide until when it is kept, and note who switches it off then; as long as it is there, the way "
        "back is open"
    )
    yield f"{origin}: its disks still hold all mail; note who erases them, once it is switched off for good"
    yield f"{target}: make the first backup, and see that it is among those that are made every night"
    yield f"monitoring: it watches {target} at {address}, and {origin} no longer"
    if settings.switch == NEW_ADDRESS:
        yield (
            f"DNS: the names lead to {address} everywhere; the old address may still stand in firewalls, relays and "
            "SPF records"
        )
    else:
        yield "DNS: where the time to live was shortened for this night, put it back"
    yield "users: tell them that the service is back"
