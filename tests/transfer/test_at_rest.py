"""What shows that nothing was written on the origin since it was verified."""

import subprocess
from pathlib import Path

import pytest

from bmnb.transfer import at_rest

FAKES = r"""systemctl() { :; }
runuser() { case $* in *pg_database*datname\ IN*) echo bj ;; *) cat "$tmp/rows" ;; esac; }
"""


def bash(place: Path, line: str) -> str:
    fakes = f"tmp={place}; {FAKES}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", fakes + line], capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").write_text("as it was")
    (tmp_path / "rows").write_text("bj|2026-01-01|5 6 7\n")
    bash(tmp_path, at_rest.remember(str(tmp_path), ["bj"]))
    return tmp_path


def changed(place: Path) -> str:
    return bash(place, at_rest.changed(str(place), [f"{place}/tree"], [], ["bj"]))


def test_nothing_is_said_where_nothing_was_written(place: Path):
    assert changed(place) == ""


def test_a_file_and_a_row_that_were_written_since_are_named(place: Path):
    file = place / "tree" / "file"
    while (
        file.stat().st_ctime_ns <= (place / "verified").stat().st_mtime_ns
    ):  # the clock of files ticks slowly
        file.write_text("another")
    (place / "rows").write_text("bj|2026-01-01|5 6 8\n")
    assert changed(place) == f"{place}/tree/file\ndatabase bj\n"


def test_after_a_clock_that_was_put_back_no_time_tells(place: Path):
    """By an hour, in which a file may have been written."""
    booted, *rows = (place / "writes").read_text().splitlines()
    (place / "writes").write_text("\n".join([str(int(booted) + 3600), *rows, ""]))
    assert changed(place) == f"{at_rest.PUT_BACK}\n"


def test_a_clock_that_goes_on_or_ahead_says_nothing(place: Path):
    booted, *rows = (place / "writes").read_text().splitlines()
    (place / "writes").write_text("\n".join([str(int(booted) - 3600), *rows, ""]))
    assert changed(place) == ""


def test_without_what_was_remembered_nothing_is_proven(place: Path):
    (place / "writes").write_text("bj|2026-01-01|5 6 7\n")
    with pytest.raises(subprocess.CalledProcessError):
        changed(place)
