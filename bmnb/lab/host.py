"""What the lab needs of this machine: root, a few programs, a folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bmnb.errors import BmnbError, InputError

HOME = Path(os.environ.get("BMNB_LAB_HOME", "/var/lib/bmnb-lab")).resolve()
CACHE = HOME / "cache"
LABS = HOME / "labs"

PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "nsenter": "util-linux",
    "dpkg-deb": "dpkg",
}
"""Each program with the Debian package that has it."""

INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH_INSTANCES = 4096
"""A booted server holds five or six inotify instances; all of root together may have 128 at first."""


def require() -> None:
    """Raise InputError that says exactly what is missing; let many servers watch their files."""
    missing = sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})
    if missing:
        raise InputError(f"the lab needs Debian or Ubuntu with: apt install {' '.join(missing)}")
    if os.geteuid() != 0:
        raise InputError("the lab boots servers, which takes root: sudo bmnb lab ...")
    if int(INSTANCES.read_text()) < ENOUGH_INSTANCES:
        INSTANCES.write_text(str(ENOUGH_INSTANCES))


def raise_at_sigterm() -> None:
    """Have SIGTERM raise SystemExit, so that what was begun is taken away again."""

    def end(number: int, _: object) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)


def call(*command: str | Path, stdin: str = "") -> str:
    """Run a program of this machine, return its output. Raise BmnbError with its last lines."""
    done = subprocess.run(
        [str(part) for part in command],
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        last = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-10:])
        raise BmnbError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{last}")
    return done.stdout


def succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
