"""The operator's notes and the checklist: on record, with who and when."""

from pathlib import Path

import pytest

from bmnb.errors import InputError
from bmnb.procedures import changing_distributions as procedure
from bmnb.run import Run, begin


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return begin(procedure.PROCEDURE, {"folder": str(tmp_path / "run"), "dry_run": False})


def test_a_note_and_a_copy_of_its_file_are_kept(run: Run, tmp_path: Path):
    shot = tmp_path / "shot.png"
    shot.write_bytes(b"png")
    assert len(run.note()) == 0
    run.note("the client's firewall was slow")
    kept = run.note("the console", str(shot))
    assert list(kept["note"]) == ["the client's firewall was slow", "the console"]
    assert (run.folder / kept["file"].iloc[1]).read_bytes() == b"png"
    assert "@" in kept["who"].iloc[0]


def test_files_of_the_same_name_are_kept_apart(run: Run, tmp_path: Path):
    for text in ("one", "two"):
        (tmp_path / "a.txt").write_text(text)
        run.note("", str(tmp_path / "a.txt"))
    assert sorted(path.read_text() for path in (run.folder / "files").iterdir()) == ["one", "two"]


def test_a_file_that_is_not_there_is_refused(run: Run):
    with pytest.raises(InputError, match="is no file"):
        run.note("", "/no/such/file")


def test_the_checklist_has_every_step_with_its_state(run: Run):
    run.open()
    run.journal.write("step started", step="prerequisites", title="", phase="prerequisites")
    run.journal.write("step done", step="prerequisites")
    run.journal.write("step started", step="hot-synchronization.1", title="", phase="hot-synchronization")
    run.journal.write("step done", step="hot-synchronization.1")
    run.journal.write("step started", step="hot-synchronization.2", title="", phase="hot-synchronization")
    states = dict(zip(run.checklist()["step"], run.checklist()["status"], strict=True))
    assert states[procedure.prerequisites.title] == "done"
    assert states[procedure.hot_synchronization.title] == "started"
    assert states[procedure.clean_up.title] == "planned"
    assert len(states) == len(procedure.PROCEDURE.steps)


def test_a_journal_that_another_process_has_continued_is_read_again(run: Run, tmp_path: Path):
    run.open()
    other = begin(procedure.PROCEDURE, {"folder": str(run.folder), "dry_run": False})
    other.note("from elsewhere")
    run.note("from here")
    assert [line["text"] for line in run.journal.events("note")] == ["from elsewhere", "from here"]
