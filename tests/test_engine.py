"""Our engine tells the truth of every cell, whatever ends the notebook."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from bmnb import engine, headless

BEFORE, AFTER = "print('before')", "print('after')"
MARK = "from pathlib import Path; Path('begun').touch()"
SLEEP = f"{MARK}; import time; time.sleep(60)"
DIE = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
PATIENT = f"""
{MARK}
import time
try:
    time.sleep(60)
except KeyboardInterrupt:
    Path('stopped').touch()
    from bmnb.errors import Stopped
    raise Stopped("stopped what ran on the server")
"""


def notebook(folder: Path, cell: str) -> Path:
    book = nbformat.v4.new_notebook()
    book.metadata.kernelspec = {"name": headless.KERNEL, "display_name": "Python", "language": "python"}
    book.cells = [nbformat.v4.new_code_cell(source) for source in (BEFORE, cell, AFTER)]
    path = folder / "in.ipynb"
    nbformat.write(book, path)
    return path


def execute(folder: Path, cell: str, **options: object) -> None:
    source = notebook(folder, cell)
    papermill.execute_notebook(
        source,
        None,
        engine_name="bmnb",
        save_as=str(folder / "out.ipynb"),
        cwd=folder,
        progress_bar=False,
        **options,
    )


def started(folder: Path, cell: str) -> subprocess.Popen[str]:
    """papermill in a process of its own, when its second cell has begun."""
    command = ["papermill", "--engine", "bmnb", "--cwd", folder, notebook(folder, cell), folder / "out.ipynb"]
    running = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    while not (folder / "begun").exists():
        assert running.poll() is None, running.communicate()[0]
        time.sleep(0.05)
    return running


def statuses(folder: Path) -> list[str]:
    book = nbformat.read(folder / "out.ipynb", 4)
    return [cell.metadata.papermill.status for cell in book.cells if cell.cell_type == "code"]


def error(folder: Path) -> tuple[str, str]:
    """Name and text of the only error in the notebook."""
    book = nbformat.read(folder / "out.ipynb", 4)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    [found] = [output for output in outputs if output.output_type == "error"]
    return found.ename, found.evalue


def kernels(folder: Path) -> list[str]:
    """The kernels that still run in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (
                process.joinpath("cwd").readlink() == folder
                and b"ipykernel" in process.joinpath("cmdline").read_bytes()
            ):
                found.append(process.name)
        except OSError:
            continue
    return found


def gone(folder: Path, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while kernels(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not kernels(folder)


def test_a_notebook_that_ends_well_is_completed(tmp_path: Path):
    execute(tmp_path, "print('well')")
    assert statuses(tmp_path) == ["completed"] * 3


def test_a_failed_cell_is_failed_and_the_rest_was_not_begun(tmp_path: Path):
    with pytest.raises(PapermillExecutionError):
        execute(tmp_path, "1 / 0")
    assert statuses(tmp_path) == ["completed", "failed", "pending"]
    assert error(tmp_path)[0] == "ZeroDivisionError"


def test_a_killed_kernel(tmp_path: Path):
    with pytest.raises(PapermillExecutionError):
        execute(tmp_path, DIE)
    assert statuses(tmp_path) == ["completed", "failed", "pending"]
    assert error(tmp_path)[0] == "KernelDied"


def test_a_cell_that_takes_too_long(tmp_path: Path):
    with pytest.raises(PapermillExecutionError):
        execute(tmp_path, SLEEP, execution_timeout=2)
    assert statuses(tmp_path) == ["completed", "failed", "pending"]
    assert error(tmp_path) == ("TimedOut", error(tmp_path)[1])
    assert "more than 2 s" in error(tmp_path)[1]
    assert gone(tmp_path)


def test_ctrl_c_lets_the_cell_stop_what_it_runs(tmp_path: Path):
    running = started(tmp_path, PATIENT)
    running.send_signal(signal.SIGINT)
    assert running.wait(30) != 0
    assert (tmp_path / "stopped").exists()
    assert statuses(tmp_path)[-2:] == ["failed", "pending"]
    assert error(tmp_path) == ("Stopped", "stopped what ran on the server")
    assert gone(tmp_path)


def test_ctrl_c_outside_of_our_code(tmp_path: Path):
    running = started(tmp_path, SLEEP)
    running.send_signal(signal.SIGINT)
    assert running.wait(30) != 0
    assert error(tmp_path)[0] == "Interrupted"
    assert "SIGINT" in error(tmp_path)[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_end_of_the_session_leaves_what_runs_on_the_servers(tmp_path: Path, number: signal.Signals):
    running = started(tmp_path, PATIENT)
    running.send_signal(number)
    assert running.wait(30) != 0
    assert not (tmp_path / "stopped").exists()
    assert error(tmp_path)[0] == "Interrupted"
    assert number.name in error(tmp_path)[1]
    assert gone(tmp_path)


def test_papermill_itself_killed_leaves_a_whole_notebook_and_no_kernel(tmp_path: Path):
    running = started(tmp_path, SLEEP)
    os.kill(running.pid, signal.SIGKILL)
    running.wait(30)
    assert statuses(tmp_path) == ["completed", "running", "pending"]
    assert gone(tmp_path)


def test_no_secret_is_saved_in_the_notebook(tmp_path: Path):
    execute(tmp_path, "print('password: s3' + 'cr3t')")
    assert "s3cr3t" not in (tmp_path / "out.ipynb").read_text()
    assert "[redacted]" in (tmp_path / "out.ipynb").read_text()


@pytest.mark.parametrize(("engine", "alone"), [("bmnb", "False"), (None, "True")])
def test_papermill_alone_is_told_from_our_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str | None, alone: str
):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    source = notebook(tmp_path, "from bmnb import kernel; print(kernel.is_alone())")
    book = papermill.execute_notebook(
        source, tmp_path / "out.ipynb", engine_name=engine, cwd=tmp_path, progress_bar=False
    )
    assert book.cells[1].outputs[0].text.strip() == alone


def test_a_long_cell_is_saved_once_in_a_while_and_not_with_each_output(tmp_path: Path):
    path = tmp_path / "out.ipynb"
    book = engine.Book(nbformat.read(notebook(tmp_path, BEFORE), 4), str(path))
    book.nb.metadata.papermill = {}
    book.notebook_start()
    book.last_save_time -= timedelta(hours=1)
    path.unlink()
    book.autosave_cell()
    assert path.exists()
    path.unlink()
    book.autosave_cell()
    assert not path.exists()


def test_a_notebook_is_written_as_nbformat_does_though_not_every_cell_is_written_anew(tmp_path: Path):
    book = nbformat.read(notebook(tmp_path, "print('[\\n ],\\n \"metadata\"')"), 4)
    book.cells.insert(1, nbformat.v4.new_markdown_cell("[]\n\nénergie"))
    for cell in book.cells:
        cell.metadata.papermill = {"status": "pending"}
    kept = engine.Book(book, str(tmp_path / "out.ipynb"))
    for state in ("pending", "running", "completed"):
        book.cells[2].metadata.papermill.status = state
        book.cells[2].outputs = [nbformat.v4.new_output("stream", text=f"{state}\n[]\n")]
        kept.save()
        assert (tmp_path / "out.ipynb").read_text() == nbformat.writes(book) + "\n"
