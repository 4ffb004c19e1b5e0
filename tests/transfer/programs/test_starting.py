"""PostgreSQL is started by its own unit, however a distribution calls it."""

import os
import subprocess
from pathlib import Path

import pytest

from bmnb.transfer.programs.postgres import RUN_UNIT, START_SOON, START_UNIT

SYSTEMCTL = """#!/bin/sh
case $1 in
  cat) [ -e "$UNITS/$2" ] ;;
  list-unit-files) cat "$UNITS/listed" ;;
  start) shift; echo "$@" ;;
esac
"""


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def said(folder: Path, line: str) -> str:
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "UNITS": str(folder)}
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, env=environment)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("there", "listed", "started"),
    [
        ("postgresql", "", "postgresql"),
        ("other", "postgresql-13.service disabled\npostgresql-15.service enabled", "postgresql-15.service"),
        ("other", "postgresql-15.service enabled enabled", "postgresql-15.service"),
        ("other", "", ""),
    ],
    ids=["Debian", "PGDG, two versions", "PGDG, with presets", "none"],
)
def test_the_unit_is_the_usual_one_or_that_which_is_enabled(
    tmp_path: Path, there: str, listed: str, started: str
):
    program(tmp_path, "systemctl", SYSTEMCTL)
    (tmp_path / there).touch()
    (tmp_path / "listed").write_text(f"{listed}\n")
    assert said(tmp_path, START_UNIT) == started
    assert said(tmp_path, START_SOON) == f"--no-block {started}".strip()


@pytest.mark.parametrize(("knows", "options"), [("--collect", "--quiet --collect"), ("--slice", "--quiet")])
def test_a_systemd_of_before_236_is_not_told_to_forget_a_unit(tmp_path: Path, knows: str, options: str):
    program(
        tmp_path,
        "systemd-run",
        f'#!/bin/sh\n[ "$1" = --help ] && echo "  -G {knows}  as it says" || echo "$@"\n',
    )
    assert said(tmp_path, f"{RUN_UNIT} true") == f"{options} true"
