"""The journal: appended, chained, and whole after any break."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bmnb.errors import BmnbError
from bmnb.journal import Journal
from bmnb.logs import Logs
from bmnb.perform import Performer
from bmnb.progress import Job
from bmnb.steps import Check, Verdict
from tests.fakes import FakeServers, World

AGAIN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(path: Path) -> Journal:
    path.unlink(missing_ok=True)
    journal = Journal(path)
    for number in range(5):
        journal.write("done", action=f"step/{number}", seen="accentué", row={"files": number})
    return journal


def test_what_was_written_is_read_again(tmp_path: Path):
    lines = written(tmp_path / "journal.jsonl").lines
    assert Journal(tmp_path / "journal.jsonl").lines == lines


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


@pytest.mark.parametrize("order", [[1, 2, 3, 4], [0, 2, 1, 3, 4], [0, 1, 3, 4], [0, 0, 1, 2]])
def test_a_missing_line_and_another_order_are_found(tmp_path: Path, order: list[int]):
    written(tmp_path / "journal.jsonl")
    lines = (tmp_path / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "journal.jsonl").write_bytes(b"".join(lines[place] for place in order))
    with pytest.raises(BmnbError, match="was changed"):
        Journal(tmp_path / "journal.jsonl")


@AGAIN
@given(data=st.data())
def test_one_changed_byte_anywhere_is_found(tmp_path: Path, data: st.DataObject):
    path = tmp_path / "journal.jsonl"
    written(path)
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    with pytest.raises(BmnbError, match="was changed"):
        Journal(path)


def test_reading_leaves_the_file_as_it_is_since_someone_may_be_writing_it(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    written(path)
    with path.open("ab") as file:
        file.write(b'{"number": 6, "ti')
    assert Journal(path).torn
    assert path.read_bytes().endswith(b'"ti')


def test_two_processes_write_one_chain(tmp_path: Path):
    one, other = Journal(tmp_path / "journal.jsonl"), Journal(tmp_path / "journal.jsonl")
    for journal in (one, other, one, other):
        journal.write("note", text="mine")
    assert [line["number"] for line in Journal(tmp_path / "journal.jsonl").lines] == [1, 2, 3, 4]


def test_a_disk_that_refuses_the_journal_stops_the_run(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BmnbError, match="nothing more is done"):
        Journal(tmp_path / "file" / "journal.jsonl").write("opened")


def test_a_full_disk_may_take_a_part_of_a_line_which_never_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    journal = written(tmp_path / "journal.jsonl")
    number = len(journal.lines)

    def full(_: int) -> None:
        with journal.path.open("r+b") as file:
            file.truncate(journal.path.stat().st_size - 20)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("bmnb.journal.os.fsync", full)
        with pytest.raises(BmnbError, match="No space left"):
            journal.write("opened")
    journal.write("opened")
    assert len(Journal(journal.path).lines) == number + 1


def test_the_seconds_of_an_action_are_measured_by_a_clock_that_does_not_jump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    jumps = iter(datetime(2026, 3, 1, 12 + hour % 2 * 5, tzinfo=UTC) for hour in range(100))
    monkeypatch.setattr("bmnb.journal.datetime", SimpleNamespace(now=lambda zone: next(jumps)))
    journal = Journal(tmp_path / "journal.jsonl")
    check = Check("here", "true", lambda seen: Verdict(seen.ok, "seen"), "look")
    jobs = {"look/1": Job(check)}
    Performer(FakeServers(World()), journal, Logs(tmp_path / "logs"), "run", {}, jobs).perform(  # type: ignore[arg-type]
        False, ("look/1", check)
    )
    ended = journal.last("done")
    assert ended is not None
    assert ended["seconds"] < 60


def test_a_clock_that_jumps_does_not_break_the_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Jumped(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(days=400)

    journal = written(tmp_path / "journal.jsonl")
    monkeypatch.setattr("bmnb.journal.datetime", Jumped)
    journal.write("opened")
    assert Journal(journal.path).lines[-1]["event"] == "opened"
