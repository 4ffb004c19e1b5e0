"""A server that has been restarted is back once what is needed is up, whatever else has failed."""

import subprocess
from pathlib import Path

import pytest

from bmnb.bluemind import proofs
from bmnb.steps import Result

SYSTEMCTL = """#!/bin/sh
case $1 in
list-jobs) echo "$JOBS" ;;
list-units) echo "$FAILED" ;;
is-system-running) echo degraded; exit 1 ;;
esac
"""


@pytest.fixture
def restarted(tmp_path: Path) -> Path:
    """Its folder, with a systemd that says what is in the environment."""
    (tmp_path / "boot-before").write_text("another boot\n")
    (tmp_path / "systemctl").write_text(SYSTEMCTL)
    (tmp_path / "systemctl").chmod(0o755)
    return tmp_path


def seen(folder: Path, jobs: str = "", failed: str = "") -> Result:
    env = {"PATH": f"{folder}:/usr/bin:/bin", "JOBS": jobs, "FAILED": failed}
    line = proofs.rebooted(str(folder))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, env=env, check=False
    )
    return Result("target", line, done.returncode, done.stdout, done.stderr)


def test_a_unit_that_failed_beside_it_is_told_and_not_waited_for(restarted: Path):
    verdict = proofs.is_back(seen(restarted, failed="vpn.service loaded failed failed A tunnel"))
    assert (verdict.holds, verdict.seen) == (True, "yes; failed beside it: vpn.service")


@pytest.mark.parametrize(
    ("job", "holds"),
    [
        ("12 data.mount start waiting", False),
        ("12 postgresql@15-main.service start running", False),
        ("12 network.target start waiting", False),
        ("12 slow.service start running", True),
    ],
)
def test_what_is_needed_is_waited_for_by_name(restarted: Path, job: str, holds: bool):
    verdict = proofs.is_back(seen(restarted, jobs=job))
    assert verdict.holds is holds
    assert holds or job.split()[1] in verdict.seen


def test_before_it_has_begun_anew_it_is_not_back(restarted: Path):
    (restarted / "boot-before").write_text(Path("/proc/sys/kernel/random/boot_id").read_text())
    assert not proofs.is_back(seen(restarted)).holds
