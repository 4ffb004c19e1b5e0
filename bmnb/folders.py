"""Where runs lie: a folder each, found again by the client's name or by the client file in it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

from bmnb.journal import Journal
from bmnb.settings import CLIENT_FILE, read
from bmnb.steps import Procedure, slug

NOTEBOOK = "notebook.ipynb"


def folder_of(procedure: Procedure, settings: Any, today: date | None = None) -> Path:
    """The run's folder: that of the client's unfinished run, or a new one named after today.

    A run that was rolled back is over: the next one of the same day gets a number behind its name, and so does
    that of another client whose name is written alike.
    """
    if settings.folder:
        return Path(settings.folder).expanduser()
    runs = Path(settings.runs).expanduser()
    name = f"{slug(settings.client)}-{procedure.name}"
    new = f"{today or date.today()}-{name}"
    earlier = sorted(runs.glob(f"????-??-??-{name}")) + sorted(runs.glob(f"????-??-??-{name}.*"))
    for folder in reversed(earlier):
        journal = Journal(folder / "journal.jsonl")
        of_today = folder.name.split(".")[0] == new
        if client_of(folder, journal) not in ("", settings.client):
            continue
        if not journal.last("rolled back") and (of_today or not journal.last("finished")):
            return folder
    again = sum(folder.name.split(".")[0] == new for folder in earlier)
    return runs / (f"{new}.{again + 1}" if again else new)


def client_of(folder: Path, journal: Journal) -> str:
    """The client of a run's folder, by its journal or its client file; empty where neither tells."""
    if opened := journal.last("opened"):
        return str(opened["settings"].get("client", ""))
    file = folder / CLIENT_FILE
    return str(read(file).get("client", "")) if file.exists() else ""


def home(client_file: Path) -> Path | None:
    """The run's folder in which a client file lies; None for one that lies elsewhere."""
    folder = client_file.resolve().parent
    named = re.fullmatch(r"\d{4}-\d\d-\d\d-.+", folder.name)
    return folder if named and (folder / NOTEBOOK).exists() else None
