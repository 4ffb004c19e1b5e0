"""What a run was begun with is its journal's: client, servers and address don't change under way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from bmnb import redact
from bmnb.errors import InputError
from bmnb.journal import Journal
from bmnb.language import _


def refuse_changes(journal: Journal, settings: Any) -> None:
    """Raise InputError where settings have changed on which steps rest that are done."""
    changed = list(changes(journal, settings))
    if changed:
        text = _("{folder} was begun with other values, which its steps have proven:")
        remedy = _("→ put them back, or begin a new run for the new ones; nothing was contacted")
        raise InputError("\n".join([text.format(folder=journal.path.parent), *changed, f"  {remedy}"]))


def changes(journal: Journal, settings: Any) -> Iterator[str]:
    """A line for each setting that may not be what it is now."""
    opened = journal.last("opened")
    if opened is None or not journal.last("step done"):
        return
    for field in fields(settings):
        may_become, before = field.metadata.get("frozen"), opened["settings"].get(field.name)
        now = getattr(settings, field.name)
        if may_become is not None and before not in (None, redact.facts(now)) and now not in may_become:
            text = _("  {name}: {before}, now {now}")
            yield text.format(name=field.name, before=before, now=now)
