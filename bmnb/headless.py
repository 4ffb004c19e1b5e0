"""Headless runs: papermill executes the run's notebook, as a person would cell by cell."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from bmnb import errors, live
from bmnb.files import replace_text
from bmnb.folders import NOTEBOOK, folder_of
from bmnb.forecast import minutes
from bmnb.frozen import refuse_changes
from bmnb.journal import Journal
from bmnb.run import over
from bmnb.settings import make
from bmnb.start import NOTEBOOKS, furnish
from bmnb.steps import Procedure

KERNEL = "python3"


def run(
    procedure: Procedure,
    values: Mapping[str, Any],
    source: str,
    tell: Callable[[str], None],
    through: str | None = None,
    cell_timeout: int | None = None,
    now: Mapping[str, Any] | None = None,
) -> tuple[int, Path]:
    """Execute the procedure's notebook in the run's folder; return the exit code and that folder.

    `through` and the values of `now` replace others for this time alone; a cell may take `cell_timeout` seconds. `tell` gets a
    line for each action as the journal records it. A run that is at its end is left as it is. Raise InputError for
    wrong values.
    """
    settings: Any = make(procedure.settings, values, source)
    given = {**({"through": through} if through else {}), **(now or {})}
    make(procedure.settings, {**values, **given}, source)
    folder = folder_of(procedure, settings).resolve()
    refuse_changes(procedure, Journal(folder / "journal.jsonl"), settings)
    if ended := over(Journal(folder / "journal.jsonl")):
        tell(ended)
        return 0, folder
    notebook = folder / NOTEBOOK
    if notebook.exists():
        replace_text(folder / "notebook-before.ipynb", notebook.read_text(encoding="utf-8"))
    config = str(Path(settings.ssh_config).expanduser().absolute())
    furnish(procedure, folder, {**values, "ssh_config": config} if "ssh_config" in values else values)
    with Follower(folder, tell):
        try:
            error = _execute(notebook, given, cell_timeout)
        finally:
            _without_injected(notebook)
    if error is None:
        return 0, folder
    tell(f"{error.ename}: {error.evalue}")
    journal = Journal(folder / "journal.jsonl")
    if journal.lines:
        journal.write("stopped", why=error.evalue, error=error.ename)
    return exit_code(error.ename), folder


def _execute(
    notebook: Path, values: Mapping[str, Any], cell_timeout: int | None
) -> PapermillExecutionError | None:
    """Execute a notebook in its place; return what stopped it."""
    try:
        papermill.execute_notebook(
            str(notebook),
            None,
            dict(values),
            engine_name="bmnb",
            save_as=str(notebook),
            kernel_name=KERNEL,
            execution_timeout=cell_timeout,
            progress_bar=False,
            cwd=str(notebook.parent),
        )
    except PapermillExecutionError as error:
        return error
    return None


def _without_injected(notebook: Path) -> None:
    """Take papermill's own cell of parameters out: they were for this time alone, and a person may go on here."""
    book = nbformat.read(notebook, as_version=4)
    book.cells = [cell for cell in book.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    replace_text(notebook, nbformat.writes(book) + "\n")


def exit_code(name: str) -> int:
    """The exit code of an error by its class's name, which is all that papermill keeps of it."""
    kind = getattr(errors, name, errors.BmnbError)
    return int(kind.exit_code)


def watch(folder: Path, tell: Callable[[str], None]) -> None:
    """Tell what another process does in a run, until the run is over or the operator interrupts."""
    journal = Journal(folder / "journal.jsonl")
    with Follower(folder, tell), suppress(KeyboardInterrupt):
        while not any(journal.last(event) for event in ("finished", "rolled back")):
            time.sleep(1.0)
            journal.reload()


class Follower:
    """Tells of a journal's new lines, and of what is under way, while the notebook runs in its own process."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self._files = [Grown(folder / "journal.jsonl"), Grown(folder / "logs" / live.FILE)]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._end.wait(0.5):
            self._news()
        self._news()

    def _news(self) -> None:
        journal, under_way = self._files
        for text in [progress(line) for line in journal.lines()] + under_way.lines():
            if text:
                self.tell(text)


class Grown:
    """The whole lines that a file has grown by. What follows the last of them may be cut off again by its writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._position = _whole(path)

    def lines(self) -> list[str]:
        if not self.path.exists():
            return []
        if self.path.stat().st_size < self._position:
            self._position = _whole(self.path)  # somebody has cut it
        with self.path.open("rb") as file:
            file.seek(self._position)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._position += len(whole) + len(newline)
        return whole.decode(errors="replace").splitlines()


def _whole(path: Path) -> int:
    """How many bytes the whole lines of a file have."""
    return path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0


def progress(text: str) -> str:
    """A line of the journal's file as one of progress; of one that is no such line, whose chain is broken, nothing."""
    try:
        return headline(json.loads(text))
    except (ValueError, TypeError, LookupError):
        return ""


def headline(line: dict[str, Any]) -> str:
    """A journal line as one line of progress; empty for those that say nothing to a person."""
    clock = line["time"][11:19]
    if line["event"] == "step started":
        return f"{clock} == {line['title']}"
    if line["event"] == "held warm":
        return f"{clock} == {_held(line)}"
    if line["event"] in ("done", "failed", "skipped"):
        seconds = f" {line['seconds']} s" if line.get("seconds") else ""
        seen = line["seen"].splitlines()[0] if line.get("seen") else ""
        return f"{clock}    {line['event']:8}{line['title']} ({line['server']}){seconds} {seen}".rstrip()
    return ""


def _held(line: dict[str, Any]) -> str:
    """How a pass went while the target is held warm."""
    failed = f"this pass has failed: {line['why'].splitlines()[0]}; " if line["why"] else ""
    if line["longest"] is None:
        seen = "no forecast yet"
    else:
        what = "downtime" if line["whole"] else "for the files in the downtime"
        seen = f"expected {what}: {minutes(line['shortest'], line['longest'])}"
    due = f"; next at {line['due']}" if line["due"] else ""
    return f"{failed}{seen}{due}"


def refresh(notebook: Path) -> None:
    """Execute a template as it stands, a plan only, and keep the outputs, but nothing of the execution itself."""
    papermill.execute_notebook(
        str(notebook), str(notebook), kernel_name=KERNEL, progress_bar=False, cwd=str(notebook.parent)
    )
    book = nbformat.read(notebook, as_version=4)
    for mark in ("papermill", "widgets"):
        book.metadata.pop(mark, None)
    for cell in book.cells:
        for mark in ("papermill", "execution"):
            cell.metadata.pop(mark, None)
        if cell.metadata.get("tags") == []:
            cell.metadata.pop("tags")
    nbformat.write(book, notebook)


if __name__ == "__main__":
    for template_path in sorted(NOTEBOOKS.glob("*.ipynb")):
        refresh(template_path)
