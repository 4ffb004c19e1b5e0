"""The program that the run's key is bound to: these lines, rsync that reads, and nothing else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmnb.transfer.access import gate

AROUND = "printf '<%s>' ", " | tr a-z A-Z"
LINE = "echo one; echo \"two $((1 + 1))\"\necho 'three'"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The gate, before an rsync that tells its words."""
    (tmp_path / "rsync").write_text('#!/bin/sh\nprintf "<%s>" "$@"\n')
    (tmp_path / "rsync").chmod(0o755)
    (tmp_path / "gate").write_text(gate(["true", LINE], [AROUND]))
    return tmp_path / "gate"


def asked(program: Path, line: str) -> subprocess.CompletedProcess[str]:
    environment = {"SSH_ORIGINAL_COMMAND": line, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", program], env=environment, cwd=program.parent, capture_output=True, text=True, check=False
    )


def test_a_line_of_the_run_is_done_as_ssh_would_do_it(program: Path):
    assert asked(program, "true").returncode == 0
    assert asked(program, LINE).stdout == "one\ntwo 2\nthree\n"


@pytest.mark.parametrize(
    "line", ["", "id", "true ", "true; id", LINE + "\nid", "rsync --server -a . /", "/bin/sh"]
)
def test_any_other_line_is_refused(program: Path, line: str):
    refused = asked(program, line)
    assert (refused.returncode, refused.stdout) == (126, "")
    assert "this run's key is not for" in refused.stderr


def test_plain_words_may_stand_where_a_line_is_known_around_them(program: Path):
    assert asked(program, "printf '<%s>' /lists/send.below-3 hot 4 | tr a-z A-Z").stdout == (
        "</LISTS/SEND.BELOW-3><HOT><4>"
    )


@given(st.text(max_size=20), st.sampled_from([*"$`;&|<>(){}*?'\"\\\n!~#=,"]), st.text(max_size=20))
def test_no_other_word_may(tmp_path_factory: pytest.TempPathFactory, before: str, odd: str, after: str):
    words = (before + odd + after).replace("\0", "")
    program = tmp_path_factory.getbasetemp() / "gate"
    program.write_text(gate(["true"], [AROUND]))
    assert asked(program, words.join(AROUND)).returncode == 126


def test_rsync_may_read_and_nothing_in_its_words_is_a_command(program: Path):
    (program.parent / "a file").touch()
    words = "--server --sender -a . $(touch${IFS}made) `id` ;id |id ga*"
    told = asked(program, f"rsync {words}")
    assert told.stdout == "".join(f"<{word}>" for word in words.replace("ga*", "gate").split(" "))
    assert not (program.parent / "made").exists()


@pytest.mark.parametrize("option", ["--remove-source-files", "--remove-sent-files", "--log-file=/etc/passwd"])
def test_rsync_that_writes_on_the_origin_is_refused(program: Path, option: str):
    assert asked(program, f"rsync --server --sender -a {option} . /").returncode == 126
