"""What the origin's configuration changes on the target, by the target's own files that were saved before."""

import subprocess
from pathlib import Path

import pytest

from bmnb.steps import Result
from bmnb.transfer import configuration


def run(line: str) -> Result:
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    return Result("target", line, done.returncode, done.stdout, done.stderr)


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files of the target's own, which are saved."""
    folder = tmp_path / "etc"
    folder.mkdir()
    for name in ("same", "overwritten", "gone"):
        (folder / name).write_text("the target's own")
    monkeypatch.setattr(configuration, "SAVED", f"{folder}/* {tmp_path}/absent")
    assert run(configuration.save(str(tmp_path / "work"))).ok
    return folder


def test_each_file_that_differs_is_named_and_how(etc: Path, tmp_path: Path):
    (etc / "overwritten").write_text("the origin's")
    (etc / "new").write_text("the origin's")
    (etc / "gone").unlink()
    verdict = configuration.what_changed(run(configuration.changes(str(tmp_path / "work"))))
    assert verdict.holds
    assert verdict.seen == "1 gone, 1 new, 1 overwritten"
    assert {item["what"]: item["change"] for item in verdict.items} == {
        str(etc / name): name for name in ("gone", "new", "overwritten")
    }


def test_nothing_changed_is_said(etc: Path, tmp_path: Path):
    verdict = configuration.what_changed(run(configuration.changes(str(tmp_path / "work"))))
    assert (verdict.holds, verdict.seen, verdict.items) == (True, "nothing changed", ())


def test_without_what_was_saved_it_is_not_compared(tmp_path: Path):
    assert not configuration.what_changed(run(configuration.changes(str(tmp_path)))).holds
