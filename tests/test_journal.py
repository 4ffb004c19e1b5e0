"""The journal: appended, chained, and whole after any break."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bmnb.errors import BmnbError
from bmnb.journal import Journal, first_wrong

AGAIN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def written(path: Path) -> Journal:
    path.unlink(missing_ok=True)
    journal = Journal(path)
    for number in range(5):
        journal.write("done", action=f"step/{number}", seen="accentué", row={"files": number})
    return journal


def test_what_was_written_is_read_again(tmp_path: Path):
    lines = written(tmp_path / "journal.jsonl").lines
    assert Journal(tmp_path / "journal.jsonl").lines == lines
    assert first_wrong(lines) is None


@AGAIN
@given(cut=st.integers(0, 2000))
def test_a_journal_cut_anywhere_keeps_its_whole_lines_and_goes_on(tmp_path: Path, cut: int):
    path = tmp_path / "journal.jsonl"
    whole = written(path).lines
    data = path.read_bytes()[:cut]
    path.write_bytes(data)
    journal = Journal(path)
    assert journal.lines == whole[: data.count(b"\n")]
    journal.write("opened")
    assert Journal(path).lines[-1]["event"] == "opened"


@AGAIN
@given(number=st.integers(0, 4), key=st.sampled_from(["event", "action", "seen", "time", "who", "number"]))
def test_a_changed_fact_is_found(tmp_path: Path, number: int, key: str):
    path = tmp_path / "journal.jsonl"
    lines = written(path).lines
    lines[number] = {**lines[number], key: "changed"}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(BmnbError, match="was changed"):
        Journal(path)


def test_a_missing_line_and_another_order_are_found(tmp_path: Path):
    lines = written(tmp_path / "journal.jsonl").lines
    assert first_wrong(lines[1:]) == 1
    assert first_wrong([lines[0], lines[2], lines[1]]) == 2


def test_a_disk_that_refuses_the_journal_stops_the_run(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BmnbError, match="nothing more is done"):
        Journal(tmp_path / "file" / "journal.jsonl").write("opened")


def test_a_full_disk_leaves_no_part_of_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    journal = written(tmp_path / "journal.jsonl")
    whole = journal.path.read_bytes()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("bmnb.journal.os.fsync", full)
        with pytest.raises(BmnbError, match="No space left"):
            journal.write("opened")
    assert journal.path.read_bytes() == whole
    journal.write("opened")
    assert Journal(journal.path).lines[-1]["event"] == "opened"


def test_a_clock_that_jumps_does_not_break_the_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Jumped(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(days=400)

    journal = written(tmp_path / "journal.jsonl")
    monkeypatch.setattr("bmnb.journal.datetime", Jumped)
    journal.write("opened")
    assert first_wrong(Journal(journal.path).lines) is None
