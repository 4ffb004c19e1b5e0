"""A stream at a limited rate: nothing is lost, and the status is the command's."""

import subprocess
import sys
import time
from pathlib import Path

from bmnb.transfer.programs import limited


def run(tmp_path: Path, rate: int, *command: str) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, limited.__file__, str(tmp_path / "limit"), str(rate), *command]
    return subprocess.run(words, input=b"asked", capture_output=True, check=False)


def test_input_output_and_status_are_the_command_s(tmp_path: Path):
    ended = run(tmp_path, 10**9, "bash", "-c", "cat; head -c 1000000 /dev/zero; exit 7")
    assert ended.stdout == b"asked" + bytes(1_000_000)
    assert ended.returncode == 7


def test_what_is_passed_on_takes_its_time(tmp_path: Path):
    began = time.monotonic()
    run(tmp_path, 1_000_000, "head", "-c", "300000", "/dev/zero")
    assert time.monotonic() - began >= 0.3


def test_an_answer_is_passed_on_before_the_next_question(tmp_path: Path):
    """As a session of psql is used."""
    words = [sys.executable, limited.__file__, str(tmp_path / "limit"), "1000000", "cat"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as session:
        for question in (b"one\n", b"two\n"):
            session.stdin.write(question)
            session.stdin.flush()
            assert session.stdout.readline() == question
        session.stdin.close()
