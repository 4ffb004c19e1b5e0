"""To whom the data belongs: rsync and tar map owners by their names."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bmnb.bluemind.paths import QUEUE
from bmnb.steps import Result, Verdict
from bmnb.transfer.asking import owners
from bmnb.transfer.placing import inline


def there(trees: Sequence[str]) -> str:
    """A line that prints the users and groups to whom files of the trees and of Postfix's queue belong."""
    return inline(owners, *trees, QUEUE)


HERE = inline(owners)
"""A line that prints the users and groups of this server in the same form."""


def all_known(origin: Result, target: Result) -> Verdict:
    """A number without a name is carried as it is: it would become that of whom it is on the target."""
    theirs, ours = _read(origin), _read(target)
    if not theirs:
        return Verdict.unmade(origin.stderr.strip() or "nothing was told of owners")
    if not ours:
        return Verdict.unmade(target.stderr.strip() or "the target has told no user or group")
    names = {(sort, name) for sort, _, name in ours}
    of_number = {(sort, number): name for sort, number, name in ours}
    missing = sorted(f"{sort} {name}" for sort, _, name in theirs if name and (sort, name) not in names)
    taken = sorted(
        f"{sort} {number}, without a name on the origin, is {of_number[sort, number]} on the target"
        for sort, number, name in theirs
        if not name and (sort, number) in of_number
    )
    seen = [f"missing: {', '.join(missing)}"] * bool(missing) + taken
    known = ", ".join(f"{sort} {name or number}" for sort, number, name in theirs)
    return Verdict(not seen, "; ".join(seen) or known, tuple({"item": one} for one in (*missing, *taken)))


def _read(told: Result) -> list[tuple[str, int, str]]:
    return [tuple(json.loads(line)) for line in told.stdout.splitlines()] if told.ok else []
