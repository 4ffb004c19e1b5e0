"""What differs, item by item."""

from __future__ import annotations

from collections.abc import Sequence

from bmnb.steps import Row, Verdict

NAMED = 5
LISTED = 1000
"""So many items stand in the journal; all of them in the run's folder on the target."""


def differing(items: Sequence[Row], same: str) -> Verdict:
    """A verdict that holds where nothing differs; the first items are named, more are listed."""
    if not items:
        return Verdict(True, same)
    named = "; ".join(f"{one['item']}: {one['what']}" for one in items[:NAMED])
    more = f"; and {len(items) - NAMED:,} more" if len(items) > NAMED else ""
    return Verdict(False, f"{len(items):,} differences: {named}{more}", tuple(items[:LISTED]))
