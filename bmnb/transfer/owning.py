"""To whom the data belongs: rsync and tar map owners by their names."""

from __future__ import annotations

from collections.abc import Sequence

from bmnb.bluemind.paths import QUEUE
from bmnb.steps import Result, Verdict
from bmnb.transfer.asking import owners
from bmnb.transfer.placing import inline


def there(trees: Sequence[str]) -> str:
    """A line that prints the users and groups to whom files of the trees and of Postfix's queue belong."""
    return inline(owners, *trees, QUEUE)


HERE = """set -o pipefail
getent passwd | cut -d : -f 1 | sed 's/^/user /' && getent group | cut -d : -f 1 | sed 's/^/group /'"""
"""A line that prints the users and groups of this server in the same form."""


def all_known(origin: Result, target: Result) -> Verdict:
    theirs = origin.stdout.splitlines()
    missing = sorted(set(theirs) - set(target.stdout.splitlines()))
    if not theirs:
        return Verdict.unmade(origin.stderr.strip() or "nothing was told of owners")
    items = tuple({"item": name} for name in missing)
    return Verdict(not missing, f"missing: {', '.join(missing)}" if missing else ", ".join(theirs), items)
