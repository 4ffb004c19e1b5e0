"""The log: what bmnb and paramiko do, for whoever looks for a fault, without its secrets."""

import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bmnb import diagnostics, run
from bmnb.cli import main
from bmnb.errors import BmnbError, InputError
from bmnb.lab.cli import lab
from bmnb.procedures import changing_distributions as procedure

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) \d+ [\w.]+: .+")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(diagnostics.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    yield
    diagnostics.end()


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the environment names, as in a notebook's kernel."""
    monkeypatch.setenv(diagnostics.VARIABLE, str(tmp_path / "log"))
    diagnostics.attach()
    return tmp_path / "log"


def call(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize(
    "words",
    [
        ("--log-file", "log", "plan", "changing-distributions"),
        ("plan", "changing-distributions", "--log-file", "log"),
        ("lab", "habits", "--log-file", "log"),
    ],
)
def test_a_command_tells_in_its_log_what_it_is_and_where_it_runs(words: tuple[str, ...], tmp_path: Path):
    assert call(*words).exit_code == 0
    [first, *_] = (tmp_path / "log").read_text().splitlines()
    assert LINE.fullmatch(first)
    assert "Python 3." in first


def test_the_log_is_its_owners_alone_also_where_it_was_there_before(tmp_path: Path):
    (tmp_path / "log").touch(0o644)
    call("--log-file", "log", "plan", "changing-distributions")
    call("--log-file", "new", "plan", "changing-distributions")
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("log", "new")] == [0o600, 0o600]


def test_a_log_that_cannot_be_written_is_told_before_anything_is_done(tmp_path: Path):
    (tmp_path / "file").touch()
    for place in ("file/log", "nowhere/log"):
        done = call("new", "changing-distributions", "--client", "Example", "--log-file", place)
        assert done.exit_code == 2
        assert f"the log {tmp_path}/{place} cannot be written" in done.output
    assert call("--log-file", str(tmp_path), "doctor").exit_code == 2
    assert not (tmp_path / "runs").exists()


def test_a_terminal_is_shown_as_much_as_it_asks_for(tmp_path: Path):
    (tmp_path / "ssh").write_text("Host *\n  HostName 127.0.0.1\n  Port 1\n")
    (tmp_path / "client.yaml").write_text(f"client: Example\nssh_config: {tmp_path}/ssh\n")
    words = ("check", "changing-distributions", "-f", "client.yaml")
    quiet, some, much = (call(*more, *words).stderr for more in ((), ("-v",), ("-vv",)))
    assert " INFO " not in quiet
    assert " INFO " in some
    assert " DEBUG " not in some
    assert " DEBUG " in much
    assert "Traceback" in much
    assert " INFO " in call(*words, "-v").stderr


def test_what_a_command_shows_alone_leaves_no_file_and_no_handler(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    call("-vv", "plan", "changing-distributions")
    assert not list(tmp_path.glob("bmnb-*"))
    assert diagnostics.VARIABLE not in os.environ
    assert not logging.getLogger("bmnb").handlers


def test_secrets_are_masked_in_messages_values_and_tracebacks(log: Path):
    logger = logging.getLogger("bmnb.test")
    logger.info("curl -u admin:%s https://mail.example.org", "hunter2")
    logging.getLogger("paramiko.transport").debug(
        "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"
    )
    try:
        raise ValueError("password: hunter2")
    except ValueError:
        logger.exception("token=%s", "hunter2")
    assert "hunter2" not in log.read_text()
    assert log.read_text().count("[redacted]") >= 4


def test_no_text_passes_for_a_record_or_moves_a_terminals_cursor(log: Path):
    logging.getLogger("bmnb").info("a name\n2026-01-31T10:00:00.000Z INFO 1 bmnb: all went well\x1b[2J\r")
    first, second = log.read_text().splitlines()
    assert LINE.fullmatch(first)
    assert second.startswith("    2026")
    assert "\x1b" not in second


def test_a_run_in_a_kernel_writes_the_file_that_the_environment_names(tmp_path: Path, monkeypatch):
    monkeypatch.setenv(diagnostics.VARIABLE, str(tmp_path / "log"))
    opened = run.begin(procedure.PROCEDURE, {"client": "Example", "folder": str(tmp_path / "run")})
    opened.journal.write("note", text="hunter2 is the password: hunter2")
    opened.close()
    told = (tmp_path / "log").read_text()
    assert "line 1: note" in told
    assert "hunter2" not in told


def test_the_log_has_the_stack_that_a_cell_does_not_show(log: Path):
    with pytest.raises(BmnbError) as caught:
        raise BmnbError("the disk is full")
    assert caught.value._render_traceback_() == ["BmnbError: the disk is full"]
    assert "Traceback" in log.read_text()


def test_a_log_that_is_not_written_any_more_stops_nothing_and_is_told_once(log: Path, capsys, monkeypatch):
    def full(file: object, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(diagnostics, "write_all", full)
    for _ in range(2):
        logging.getLogger("bmnb").info("something")
    assert capsys.readouterr().err.count("No space left on device") == 1


def test_a_kernel_is_told_where_its_log_cannot_be_written(tmp_path: Path, monkeypatch):
    monkeypatch.setenv(diagnostics.VARIABLE, str(tmp_path / "nowhere/log"))
    with pytest.raises(InputError, match="No such file or directory"):
        diagnostics.attach()


@pytest.mark.parametrize(("words", "named"), [(("--log-file", "log"), True), (("-v",), False)])
def test_jupyterlab_goes_on_with_a_log_that_was_named(words, named, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(os, "execv", lambda *_: seen.append(os.environ.get(diagnostics.VARIABLE)))
    (tmp_path / "runs").mkdir()
    seen: list[str | None] = []
    assert call("open", "runs", *words).exit_code == 0
    assert seen == [str(tmp_path / "log") if named else None]
    assert not list(tmp_path.glob("bmnb-*"))


def test_the_labs_commands_alone_have_a_log_too(tmp_path: Path):
    call("lab", "habits")
    assert CliRunner().invoke(lab, ["habits", "--log-file", "log"]).exit_code == 0
    assert (tmp_path / "log").exists()
