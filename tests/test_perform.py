"""A task of BlueMind's core: waited for, what it says is kept, and it counts by its own state."""

from pathlib import Path
from typing import Any

import pytest

from bmnb.bluemind.paths import TOKEN
from bmnb.journal import Journal
from bmnb.logs import Logs
from bmnb.perform import Performer
from bmnb.progress import Job
from bmnb.steps import Call, Command, Condition, Result
from tests.fakes import FakeServers, World

LINES = ["Begin upgrade", "On SQL script 1", "Core upgrade complete"]


class Core(FakeServers):
    """Its task says one line more at each look, and ends after the last."""

    def __init__(self, state: str) -> None:
        super().__init__(World())
        self.state_at_end, self.said = state, 0

    def api(self, host: str, method: str, path: str, **_: Any) -> Any:
        if method == "POST":
            return {"id": "t1"}
        if "_currentLogs" in path:
            return LINES[int(path.rpartition("=")[2]) : self.said]
        self.said += 1
        over = self.said >= len(LINES)
        return {"state": self.state_at_end if over else "InProgress", "lastLogEntry": LINES[self.said - 1]}


@pytest.mark.parametrize(("state", "status"), [("Success", "done"), ("InError", "failed")])
def test_what_a_task_says_is_kept_line_by_line(tmp_path: Path, state: str, status: str):
    call = Call("core", "POST", "/api/system/installation/_upgrade", "update", task=True)
    job = Job(call)
    journal = Journal(tmp_path / "journal.jsonl")
    performer = Performer(Core(state), journal, Logs(tmp_path / "logs"), "run", {}, {"setup/1": job})  # type: ignore[arg-type]
    outcome = performer.perform(False, ("setup/1", call))
    assert (outcome.status, outcome.seen) == (status, "Core upgrade complete")
    assert (tmp_path / "logs/setup-1.log").read_text().splitlines() == LINES
    assert job.lines[-1] == "Core upgrade complete"


def test_what_stands_beside_a_token_is_told_without_it(tmp_path: Path):
    world = World(answers={f"cat {TOKEN}": [Result("core", "", 0, "*** production ***\nb1946ac9")]})
    call = Call("core", "GET", "/api/system/installation/version", "version")
    journal = Journal(tmp_path / "journal.jsonl")
    performer = Performer(FakeServers(world), journal, Logs(tmp_path / "logs"), "run", {}, {"x/1": Job(call)})  # type: ignore[arg-type]
    outcome = performer.perform(False, ("x/1", call))
    assert outcome.status == "failed"
    assert "one word is expected" in outcome.seen
    assert "b1946ac9" not in outcome.seen + journal.path.read_text()


@pytest.mark.parametrize(("proven", "starts"), [(0, 1), (1, 2)])
def test_what_must_have_changed_something_is_repeated_until_that_is_seen(
    tmp_path: Path, proven: int, starts: int
):
    world = World(answers={"is it changed": [Result("core", "", proven)]})
    command = Command("core", "change", "change", proof=Condition("core", "is it changed", ""))
    journal = Journal(tmp_path / "journal.jsonl")
    for _ in range(2):
        jobs = {"x/1": Job(command)}
        performer = Performer(FakeServers(world), journal, Logs(tmp_path / "logs"), "run", {}, jobs)  # type: ignore[arg-type]
        assert performer.perform(False, ("x/1", command)).status == "done"
    assert world.count("change") == starts


def test_what_a_command_tells_of_each_part_is_in_the_journal_and_its_row_is_of_all(tmp_path: Path):
    def parts(result: Result) -> list[dict[str, Any]]:
        return [{"tree": "/var/spool/cyrus", "files": 3}, {"tree": "/var/spool/sieve", "files": 0}]

    copy = Command("target", "copy", "all trees", read=lambda result: {"files": 3}, parts=parts)
    journal = Journal(tmp_path / "journal.jsonl")
    performer = Performer(World().servers(), journal, Logs(tmp_path / "logs"), "run", {}, {"x/1": Job(copy)})  # type: ignore[arg-type]
    assert performer.perform(False, ("x/1", copy)).status == "done"
    done = Journal(journal.path).last("done")
    assert done is not None
    assert (done["row"], done["parts"]) == ({"files": 3}, parts(Result("target", "copy", 0)))
