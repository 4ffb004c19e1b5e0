"""All clients of a folder of runs, whichever command ran them: version, support, subscription, last update."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bmnb import procedures, tables
from bmnb.bluemind.subscription import ENDS, WARNING_DAYS
from bmnb.bluemind.support import UPDATED, until
from bmnb.errors import BmnbError, InputError
from bmnb.files import replace_text
from bmnb.fleet.page import filled
from bmnb.language import _, use
from bmnb.procedures import major_update, updating_bluemind
from bmnb.report.facts import Facts, gather
from bmnb.steps import Row

COLUMNS = ("client", "version", "last update", "support until", "subscription ends", "to do", "as of")


@dataclass(frozen=True)
class Known:
    """What the runs of one client have told last; `seen` is the day of the last run."""

    client: str
    version: str
    updated: date | None
    subscription: date | None
    seen: date

    @property
    def supported(self) -> date | None:
        return until(self.updated) if self.updated else None

    @property
    def nearest(self) -> date:
        """The first end of support or subscription; the latest day there is where neither is known."""
        return min((one for one in (self.supported, self.subscription) if one), default=date.max)


def rows(runs: Path, today: date | None = None) -> list[Row]:
    """A row for each client, whose support or subscription ends first above; last, the runs that cannot be read.

    Raise InputError without a folder.
    """
    if not runs.is_dir():
        raise InputError(f"{runs}: no such folder of runs")
    day, of, unread = today or date.today(), dict[str, list[Facts]](), list[Row]()
    for path in sorted(runs.glob("*/journal.jsonl")):
        try:
            facts = gather(path.parent, procedures.named)
        except InputError:
            continue
        except BmnbError:
            unread.append(_unread(path.parent))
        else:
            of.setdefault(str(facts.settings.get("client", "")), []).append(facts)
    found = [_known(client, sorted(told, key=lambda one: one.ended)) for client, told in of.items()]
    return [*(_row(one, day) for one in sorted(found, key=lambda one: (one.nearest, one.client))), *unread]


def table(found: Iterable[Row]) -> Any:
    return tables.table(found, list(COLUMNS))


def page(runs: Path, language: str = "en") -> Path:
    """Write the table as one HTML file that needs nothing from the network, `clients.html`, into the folder of runs."""
    path = runs / ("clients.html" if language == "en" else f"clients-{language}.html")
    with use(language):
        replace_text(path, filled("clients.html.j2", title=_("Clients"), rows=rows(runs)))
    return path


def _known(client: str, found: list[Facts]) -> Known:
    """Later runs count more; that BlueMind was updated is known by the run that did it, or by what a server said."""
    told = [version for facts in found for version in _versions(facts)]
    updated = [day for facts in found for day in _updated(facts)]
    ends = [facts.subscription_ends for facts in found if facts.subscription_ends]
    return Known(
        client,
        told[-1] if told else "",
        max(updated, default=None),
        ends[-1] if ends else None,
        found[-1].ended.date(),
    )


def _updated(facts: Facts) -> Iterator[date]:
    yield from (
        date.fromisoformat(str(one.row[UPDATED])) for one in facts.verifications if UPDATED in one.row
    )
    if (
        facts.procedure in (updating_bluemind.PROCEDURE, major_update.PROCEDURE)
        and facts.finished
        and not facts.rolled_back
    ):
        yield facts.ended.date()


def _versions(facts: Facts) -> Iterator[str]:
    """What an update has led to, else what checks have seen of BlueMind's version."""
    for one in facts.entries:
        seen = (
            re.search(r"[0-9]+(\.[0-9]+)+", one.seen)
            if "version" in one.title and one.status == "done"
            else None
        )
        if {"before", "after"} <= one.row.keys():
            yield str(one.row["after"])
        elif seen:
            yield seen[0]


def _row(one: Known, today: date) -> Row:
    return {
        "client": one.client,
        "version": one.version,
        "last update": str(one.updated or ""),
        "support until": str(one.supported or ""),
        ENDS: str(one.subscription or ""),
        "to do": "; ".join(_to_do(one, today)),
        "as of": str(one.seen),
    }


def _unread(folder: Path) -> Row:
    return {
        **dict.fromkeys(COLUMNS, ""),
        "client": folder.name,
        "to do": _("its record cannot be read: see bmnb status"),
    }


def _to_do(one: Known, today: date) -> Iterator[str]:
    for end, what, late in (
        (one.subscription, _("renew the subscription"), _("renew the subscription, which has ended")),
        (one.supported, _("update BlueMind"), _("update BlueMind, whose support has ended")),
    ):
        if end and (end - today).days < WARNING_DAYS:
            yield late if end < today else what
