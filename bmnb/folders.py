"""Where a run lies: `<date>-<client>-<procedure>` in the folder of the runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bmnb.journal import Journal
from bmnb.steps import slug


def find(runs: Path, client: str, procedure: str, today: date | None = None) -> Path:
    """The folder of the client's unfinished run, or of the one that was finished today, or a new one.

    A run that was rolled back is over: the next one of the same day gets a number behind its name.
    """
    name = f"{slug(client)}-{procedure}"
    new = f"{today or date.today()}-{name}"
    earlier = sorted(runs.glob(f"????-??-??-{name}")) + sorted(runs.glob(f"????-??-??-{name}.*"))
    for folder in reversed(earlier):
        journal = Journal(folder / "journal.jsonl")
        of_today = folder.name.split(".")[0] == new
        if not journal.last("rolled back") and (of_today or not journal.last("finished")):
            return folder
    again = sum(folder.name.split(".")[0] == new for folder in earlier)
    return runs / (f"{new}.{again + 1}" if again else new)
