"""The cipher that is fastest between two servers; ssh is a command here that prints slowly with one of them."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bmnb.transfer.programs import cipher
from bmnb.transfer.programs.cipher import CIPHERS, chosen

AES, CHACHA, AES_256 = CIPHERS
CONFIGURATION = "Host origin\n  HostName 192.0.2.1\n"


def measure(place: Path, line: str) -> tuple[dict[str, object], str]:
    """What it tells of ciphers with which ssh does a line that knows the cipher, and ssh's configuration."""
    shell, config = place / "shell", place / "ssh_config"
    shell.write_text('#!/bin/bash\n[ "$1 $3" = "-c origin" ] && cipher=$2 bash -c "$4"\n')
    shell.chmod(0o700)
    if not config.exists():
        config.write_text(CONFIGURATION)
    done = subprocess.run(
        [sys.executable, cipher.__file__, config, line, shell, "origin"], capture_output=True, check=True
    )
    return json.loads(done.stdout), config.read_text()


def test_the_fastest_is_asked_for_first_then_the_others_that_both_offer(tmp_path: Path):
    slowly = "while printf %01000d 0; do sleep 0.01; done"
    line = f"case $cipher in {AES}) {slowly} ;; {AES_256}) exit 255 ;; *) head -c 8000000 /dev/zero ;; esac"
    told, config = measure(tmp_path, line)
    assert told["cipher"] == CHACHA
    assert [one.split()[0] for one in told["measured"]] == [CHACHA, AES]
    assert config == f"{CONFIGURATION}  Ciphers {CHACHA},{AES}\n"
    assert measure(tmp_path, line)[1] == config, "once, however often it is measured"


@pytest.mark.parametrize("line", ["exit 255", f"[ $cipher != {AES} ] || head -c 8000000 /dev/zero"])
def test_where_there_is_no_choice_ssh_s_own_is_kept(tmp_path: Path, line: str):
    (tmp_path / "ssh_config").write_text(f"{CONFIGURATION}  Ciphers {AES}\n")
    told, config = measure(tmp_path, line)
    assert told["cipher"] == ""
    assert config == CONFIGURATION


def test_a_line_that_is_dead_is_given_up(tmp_path: Path):
    assert measure(tmp_path, "sleep 600")[0] == {"cipher": "", "measured": []}


def test_what_still_prints_is_ended(tmp_path: Path):
    began = time.monotonic()
    assert cipher.rate(["bash", "-c", "yes & yes"], began + 60) > 0
    assert time.monotonic() - began < 60


def test_where_they_are_as_fast_the_first_is_taken():
    assert chosen({AES: 95.0, CHACHA: 100.0, AES_256: 0.0}) == [AES, CHACHA]
    assert chosen({AES: 80.0, CHACHA: 100.0, AES_256: 99.0}) == [CHACHA, AES, AES_256]
