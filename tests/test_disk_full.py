"""The controller's disk is full, at whichever write: one sentence, nothing left over, and every file whole."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from bmnb import report
from bmnb.cli import main
from bmnb.data.frames import frame, save
from bmnb.data.schema import TEXT
from bmnb.errors import BmnbError
from bmnb.files import append_text, replace_text
from bmnb.headless import Follower
from bmnb.journal import Journal
from bmnb.logs import Logs
from bmnb.probe import Probe, read
from bmnb.procedures.changing_distributions import PROCEDURE
from bmnb.start import furnish
from tests.report import synthetic

SIZES = [0, 1, 100, 1000, 4096]


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: a write takes a part, as on a nearly full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write_for_ever(journal: Journal) -> None:
    while True:
        journal.write("note", text="x" * 50)


def left_over(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if re.fullmatch(r"\..*\.\d+|.*\.new", path.name)]


WRITES: dict[str, Callable[[Path], object]] = {
    "a notebook": lambda folder: replace_text(folder / "notebook.ipynb", "new" * 5000),
    "a table": lambda folder: save(frame([{"a": "x" * 9000}], {"a": TEXT}), folder / "table.csv"),
    "a run's folder": lambda folder: furnish(PROCEDURE, folder, {"client": "Dupont"}),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("what", WRITES)
def test_a_file_is_as_it_was_where_the_disk_refuses_the_new_one(tmp_path: Path, what: str, size: int):
    for name in ("notebook.ipynb", "table.csv", "client.yaml"):
        (tmp_path / name).write_text("old")
    with no_file_beyond(size), pytest.raises(BmnbError) as told:
        WRITES[what](tmp_path)
    assert re.fullmatch(r"\S+ cannot be written: File too large", str(told.value))
    assert left_over(tmp_path) == []
    assert (tmp_path / "notebook.ipynb").read_text() == "old"
    assert (tmp_path / "table.csv").read_text() == "old"


@pytest.mark.parametrize("size", range(300, 1200, 37))
def test_a_journal_has_whole_lines_alone_and_goes_on(tmp_path: Path, size: int):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write("opened", procedure="changing-distributions")
    with no_file_beyond(size), pytest.raises(BmnbError, match=r"nothing more is done: .*File too large"):
        write_for_ever(journal)
    assert not Journal(journal.path).torn
    journal.write("note", text="there is room again")
    assert Journal(journal.path).last()["text"] == "there is room again"


@pytest.mark.parametrize("size", SIZES)
def test_a_log_has_whole_texts_alone(tmp_path: Path, size: int):
    path = tmp_path / "one.log"
    append_text(path, "first\n" if size >= 6 else "")
    with no_file_beyond(size), pytest.raises(OSError, match="too large"):
        append_text(path, "second\n" * 1000)
    assert path.read_text() == ("first\n" if size >= 6 else "")
    with no_file_beyond(size), pytest.raises(BmnbError, match="nothing more is done"):
        Logs(tmp_path).append("two/1", "second\n" * 1000)


def test_the_probe_looks_on_and_what_it_wrote_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bmnb.probe.PORTS", {"SMTP 25": lambda address: True})
    probe = Probe("198.18.7.10", tmp_path / "logs" / "probe.csv")
    with no_file_beyond(60):
        probe.start()
        monkeypatch.setattr(probe._stop, "wait", lambda seconds: None)
        while not probe.path.exists() or probe.path.stat().st_size == 0:
            pass
        assert probe._threads[0].is_alive()
    while len(read(probe.path).get("SMTP 25", [])) < 5:
        assert probe._threads[0].is_alive()
    probe.stop()


@pytest.mark.parametrize("size", [0, 1000, 20_000, 60_000, 200_000])
def test_a_report_is_told_in_one_sentence_and_made_once_there_is_room(tmp_path: Path, size: int):
    run = synthetic.run(tmp_path / "run", passes=1)
    with no_file_beyond(size):
        told = CliRunner().invoke(main, ["report", str(run)])
    assert told.exit_code == 1
    assert re.fullmatch(
        r"BmnbError: .* cannot be written.*: File too large\n|BmnbError: .*File too large\n", told.output
    )
    assert left_over(run) == []
    assert not Journal(run / "journal.jsonl").torn
    assert report.write(run).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system of its own")
@pytest.mark.parametrize("kilobytes", [8, 28, 60, 100])
def test_a_headless_plan_on_a_full_disk_is_told_in_one_sentence(tmp_path: Path, kilobytes: int):
    client = tmp_path / "client.yaml"
    client.write_text("client: Dupont\norigin: origin\ntarget: target\naddress: 198.18.7.10\ndry_run: true\n")
    runs = tmp_path / "runs"
    runs.mkdir()
    script = """
mount -t tmpfs -o size=$1k tmpfs "$2"
"$3" -m bmnb run changing-distributions -f "$4" --runs "$2" > "$5/out" 2> "$5/err"
echo $? > "$5/status"
find "$2" -type f -printf '%f\n' > "$5/files"
"""
    words = [str(kilobytes), str(runs), sys.executable, str(client), str(tmp_path)]
    subprocess.run(["unshare", "-m", "bash", "-c", script, "bash", *words], check=True)
    assert (tmp_path / "status").read_text() == "1\n"
    said = [line for line in (tmp_path / "err").read_text().splitlines() if "frozen modules" not in line]
    assert len(said) == 1
    assert "No space left on device" in said[0]
    assert [name for name in (tmp_path / "files").read_text().split() if name.startswith(".")] == []


def test_progress_is_told_on_after_a_line_that_was_cut_and_written_anew(tmp_path: Path):
    journal, told = Journal(tmp_path / "journal.jsonl"), list[str]()
    journal.write("step started", title="One", step="one", phase="hot")
    journal.write("step started", title="Cut", step="cut", phase="hot")
    journal.path.write_bytes(journal.path.read_bytes()[:-21])
    with Follower(tmp_path, told.append):
        Journal(journal.path).write("step started", title="Two", step="two", phase="hot")
    assert [line.split(" == ")[1] for line in told] == ["Two"]


@pytest.mark.parametrize("cut", [1, 21, 200, 500, 10_000])
def test_progress_is_told_on_where_the_journal_is_cut_meanwhile(tmp_path: Path, cut: int):
    journal, told = Journal(tmp_path / "journal.jsonl"), list[str]()
    for number in range(3):
        journal.write("step started", title=str(number), step="one", phase="hot")
    follower = Follower(tmp_path, told.append)
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[: max(0, len(whole) - cut)])
    follower._news()
    Journal(journal.path).write("step started", title="after", step="one", phase="hot")
    follower._news()
    assert told[-1].endswith(" == after")


def test_status_says_that_the_last_line_is_cut(tmp_path: Path):
    run = synthetic.run(tmp_path / "run", passes=1)
    assert "has no end" not in CliRunner().invoke(main, ["status", str(run)]).output
    with (run / "journal.jsonl").open("a") as file:
        file.write('{"number": 9')
    assert "has no end" in CliRunner().invoke(main, ["status", str(run)]).output
