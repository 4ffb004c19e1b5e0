"""A glance at a journal tells the same state as all of its lines, and finds a line that does not follow."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bmnb import status
from bmnb.errors import BmnbError
from bmnb.glance import glance
from bmnb.journal import Journal
from bmnb.report.entries import ENDS
from tests.report import synthetic

EVENTS = st.sampled_from(["step started", "started", "done", "failed", "skipped", "step done", "reopened"])
OTHERS = st.sampled_from(["opened", "note", "stopped", "sealed", "answer", "rollback started", "finished"])
STEPS = ["hot-synchronization.1", "hot-synchronization.2", "stop-services", "restart-target"]


def written(journal: Journal | synthetic.Heap, event: str, step: str, number: int) -> None:
    action = {"action": f"{step}/{number}", "kind": "command", "server": "origin", "title": "copy"}
    facts = {
        "started": {"line": 'echo "event": "done"', **({"unit": "run-1"} if number > 1 else {}), **action},
        "step started": {"step": step, "title": "Copy", "phase": "hot-synchronization"},
        "step done": {"step": step},
        "reopened": {"steps": [step.split(".")[0]], "why": "it changed"},
        "opened": {"procedure": "changing-distributions", "version": "1", "settings": {"client": "Dupont"}},
        "stopped": {"why": "Ctrl-C"},
        "note": {"text": '"event": "finished", "action": "verify_copy/1"', "file": ""},
        **{end: {**action, "seen": "", "items": [{"action": "none"}]} for end in ENDS},
    }
    journal.write(event, **facts.get(event, {}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.tuples(st.one_of(EVENTS, EVENTS, OTHERS), st.sampled_from(STEPS), st.integers(1, 2))))
def test_any_journal_has_the_same_state_at_a_glance(tmp_path: Path, told: list[tuple[str, str, int]]):
    journal = synthetic.Heap()
    for one in [("opened", "", 0), *told]:
        written(journal, *one)
    journal.chain(tmp_path / "journal.jsonl")
    at_a_glance = status.of(tmp_path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(status, "glance", Journal)
        assert status.of(tmp_path) == at_a_glance


def test_a_line_that_a_crash_cut_does_not_count(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    Journal(path).write("opened")
    Journal(path).write("note", text="half")
    path.write_bytes(path.read_bytes()[:-30])
    assert [line["event"] for line in glance(path).lines] == ["opened"]


@pytest.mark.parametrize("order", [[1, 2], [0, 2], [1, 0, 2], [0, 0, 1, 2]])
def test_a_missing_line_and_another_order_are_found(tmp_path: Path, order: list[int]):
    path = tmp_path / "journal.jsonl"
    for number in range(3):
        Journal(path).write("note", text=str(number))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[place] for place in order))
    with pytest.raises(BmnbError, match="was changed"):
        glance(path)


def test_where_there_is_no_journal_there_is_no_line(tmp_path: Path):
    assert glance(tmp_path / "journal.jsonl").lines == []
