"""What a run keeps on this machine is its owner's alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmnb import run as interpreter
from bmnb.data.frames import frame, save
from bmnb.data.schema import COUNT
from bmnb.files import private, private_folder, replace_text
from bmnb.logs import Logs
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.run import Run
from bmnb.start import new, page
from bmnb.steps import Procedure
from tests.fakes import FakeSettings, World, settings
from tests.test_run import copy


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def readable_by_others(folder: Path) -> list[Path]:
    return [path for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077]


def test_a_new_run_and_its_folder_are_its_owners(tmp_path: Path):
    runs = tmp_path / "of-a-client" / "runs"
    new(PROCEDURE, "Example", runs)
    page("00-index", runs, "en")
    assert readable_by_others(tmp_path / "of-a-client") == []


def test_journal_logs_tables_and_attachments_are_its_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    runs = tmp_path / "runs"
    monkeypatch.setattr(interpreter, "Servers", World().servers)
    run = Run(Procedure("Fake", FakeSettings, (copy,)), settings(runs), show=lambda table: None)
    run(copy)
    Logs(run.folder / "logs").append("copy/1", "what it says\n")
    run.attach("a picture", "shot.png", b"...")
    save(frame([{"a": 1}], {"a": COUNT}), run.folder / "tables" / "one.csv")
    replace_text(run.folder / "report.html", "<html>")
    run.close()
    kept = {path.name for path in run.folder.rglob("*")}
    assert {"journal.jsonl", "copy-1.log", "1-shot.png", "one.csv", "report.html"} <= kept
    assert readable_by_others(runs) == []


def test_what_is_there_already_stays_as_it_is(tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o750)
    (shared / "file").write_text("one")
    (shared / "file").chmod(0o640)
    assert private(private_folder(shared) / "file").read_text() == "one"
    assert (shared.stat().st_mode & 0o777, (shared / "file").stat().st_mode & 0o777) == (0o750, 0o640)
