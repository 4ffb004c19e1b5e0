"""What files have beside their content: what no copy brings, and what keeps one from being replaced."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bmnb.steps import Result, Row, Verdict
from bmnb.transfer.asking import inodes
from bmnb.transfer.placing import inline
from bmnb.transfer.programs.choosing import LARGE


def look(trees: Sequence[str], globs: Sequence[str], literal: bool) -> str:
    """A line that tells it of the files of trees and globs.

    rsync copies tree by tree, and so makes several files of one with names in several: with the literal engine all of
    them, with the other the large ones.
    """
    return inline(inodes, "0" if literal else str(LARGE), *trees, "--", *globs)


def all_carried(told: Result) -> Verdict:
    found = _found(told)
    if found is None:
        return Verdict.unmade(told.stderr.strip() or "nothing was told of the files")
    number, items = found
    seen = "; ".join(f"{one['item']}: {one['what']}" for one in items[:5])
    return Verdict(not items, f"{number} are not carried: {seen}" if items else "none", items)


def can_be_replaced(told: Result) -> Verdict:
    """Root may write to what is append-only, and neither replace nor delete it. The other findings are the target's own."""
    found = _found(told)
    if found is None:
        return Verdict.unmade(told.stderr.strip() or "nothing was told of the files")
    wrong = tuple(one for one in found[1] if one["what"] == inodes.APPEND_ONLY)
    return Verdict(not wrong, ", ".join(one["item"] for one in wrong[:5]) or "none", wrong)


def _found(told: Result) -> tuple[int, tuple[Row, ...]] | None:
    """How many findings there are, and the first of them; None where that was not told."""
    if not (told.ok and told.stdout):
        return None
    *items, last = map(json.loads, told.stdout.splitlines())
    return last["found"], tuple(items)
