"""A run's tables by their names, and that of each of its steps."""

from __future__ import annotations

from difflib import get_close_matches

import pandas as pd

from bmnb.data.display import with_display
from bmnb.data.frames import frame
from bmnb.data.schema import STEP, TABLES, Columns, with_others
from bmnb.errors import InputError
from bmnb.language import _
from bmnb.report.facts import Facts
from bmnb.report.rows import Rows
from bmnb.steps import Row, Step


def data(facts: Facts, what: str | Step) -> pd.DataFrame:
    """The table of this name, or of a step: a plain DataFrame, which a notebook shows in the language in use.

    Raise InputError where there is none of this name.
    """
    name = what.name if isinstance(what, Step) else what
    steps = {one.name for one in facts.procedure.steps}
    if name not in steps and (name not in TABLES or isinstance(what, Step)):
        raise InputError(_unknown(name, steps))
    rows = Rows(facts)
    found, columns = _of_step(rows, name) if name in steps else _table(rows, name)
    zone = facts.began.tzinfo if facts.journal.lines else None
    return with_display(frame(found, columns), columns, zone)


def table(rows: Rows, name: str) -> pd.DataFrame:
    """A table as it stands in `tables/`."""
    return frame(*_table(rows, name))


def _table(rows: Rows, name: str) -> tuple[list[Row], Columns]:
    """Where a run has nothing of it, it has its columns all the same."""
    found = rows.as_files()[name] if rows.facts.journal.lines else []
    return found, with_others(TABLES[name], found) if name == "items" else TABLES[name]


def _of_step(rows: Rows, name: str) -> tuple[list[Row], Columns]:
    """The columns of what its actions have counted come last."""
    found = rows.step(name)
    return found, with_others(STEP, found)


def _unknown(name: object, steps: set[str]) -> str:
    near = get_close_matches(str(name), [*TABLES, *steps], n=1)
    text = _("there is no table {name} in a run").format(name=repr(name))
    guess = _("; did you mean {near}?").format(near=repr(near[0])) if near else ""
    return "\n".join(
        [
            f"{text}{guess}",
            _("  tables: {names}").format(names=", ".join(TABLES)),
            _("  steps: {names}").format(names=", ".join(sorted(steps))),
        ]
    )
