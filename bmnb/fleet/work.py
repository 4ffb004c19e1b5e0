"""One client's run as one process. This is what a worker does, on this machine or on another one."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bmnb import diagnostics, settings

LOOK_SECONDS = 0.5
GRACE_SECONDS = 90.0
UNITS_A_MIB = 1 << 20 if sys.platform == "darwin" else 1 << 10
"""getrusage tells a process's peak in bytes on macOS, in KiB on Linux."""
"""How long a run may take to end in order: its cell, what runs on the servers, its kernel, itself."""

ERROR = re.compile(r"[A-Za-z.]+: \S")
"""An error as commands print it: its class, and what it says."""

PASSED = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "TZ",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    diagnostics.VARIABLE,
)
PASSED_KINDS = ("LC_", "JUPYTER_", "IPYTHON")


@dataclass(frozen=True)
class Job:
    """What is to be run: a procedure for a client, up to a phase. `place` is the fleet's folder on the worker."""

    name: str
    procedure: str
    values: Mapping[str, Any] = field(repr=False)  # Dask writes a task that fails into the worker's log
    through: str
    place: str
    command: tuple[str, ...] = ()
    again: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a run's process ended; `exit` is negative after a signal. `said` is the end of what it printed."""

    exit: int
    said: str
    machine: str
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0


@dataclass(frozen=True)
class Lost:
    """The worker of a job, or the scheduler, is gone: nobody here knows how the job ends."""

    why: str


def work(job: Job) -> Outcome:
    """Run a job to its end. Where an earlier process of the same client is still at work, wait for that first.

    That process may belong to a fleet command, or a worker, that is gone. Its run then is taken up by
    the same command, which repeats nothing.
    """
    files = Files(Path(job.place), job.name)
    files.folder.mkdir(parents=True, exist_ok=True)
    with files.lock.open("a+") as lock:
        if not _held(lock, files):
            return Outcome(-signal.SIGINT, "", socket.gethostname())
        settings.write(files.client, job.values)
        with files.log.open("ab") as log:
            begun = log.tell()
            process = subprocess.Popen(
                command(job, files),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=files.folder,
                env=environment(os.environ),
                start_new_session=True,
                pass_fds=[lock.fileno()],  # the lock lives as long as the process, not as long as we
            )
        lock.seek(0)
        lock.truncate()
        lock.write(str(process.pid))
        lock.flush()
        usage = _wait(process, files)
    return Outcome(int(process.returncode), said(files.log, begun), socket.gethostname(), usage[0], usage[1])


class Files:
    """What the fleet keeps of a client, beside its run."""

    def __init__(self, place: Path, name: str) -> None:
        self.folder = place / "clients"
        self.client, self.log = self.folder / f"{name}.yaml", self.folder / f"{name}.log"
        self.lock, self.stop = self.folder / f"{name}.lock", self.folder / f"{name}.stop"


def command(job: Job, files: Files) -> list[str]:
    line = [*(job.command or (sys.executable, "-m", "bmnb")), "run", job.procedure, "-f", str(files.client)]
    return [*line, "--through", job.through, *(["--again"] if job.again else [])]


def environment(here: Mapping[str, str]) -> dict[str, str]:
    """What a run sees of a worker's environment: nothing that might be another client's secret."""
    return {
        name: value for name, value in here.items() if name in PASSED or name.startswith(PASSED_KINDS)
    } | {"PYTHONUNBUFFERED": "1"}


def ask_to_stop(place: str, names: list[str]) -> None:
    """Ask the runs of these clients, on this machine, to end in order."""
    for name in names:
        files = Files(Path(place), name)
        files.folder.mkdir(parents=True, exist_ok=True)
        files.stop.touch()


def allow(place: str, name: str) -> None:
    """Take back that a client was asked to stop."""
    Files(Path(place), name).stop.unlink(missing_ok=True)


def interrupt(place: Path, name: str) -> bool:
    """Interrupt a client's process on this machine, which no fleet command attends; tell whether there is one."""
    files = Files(place, name)
    if not files.lock.exists():
        return False
    with files.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _signal(_number(lock), signal.SIGINT)
            return True
    return False


def said(log: Path, begun: int) -> str:
    """Why a run ended: the error that it printed last, else its last line; the paths at its end aside."""
    with log.open("rb") as file:
        file.seek(max(begun, file.seek(0, os.SEEK_END) - 8000))
        printed = file.read().decode(errors="replace").splitlines()
    lines = [one for one in printed if one.strip() and not one.startswith(("notebook: ", "report: "))]
    errors = [place for place, one in enumerate(lines) if ERROR.match(one)]
    return "\n".join(lines[errors[-1] if errors else -1 :])


def _held(lock: IO[str], files: Files) -> bool:
    """Hold the client's lock, once it is free. False where the client is asked to stop before that."""
    asked = False
    while not files.stop.exists() or asked:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOOK_SECONDS)
        else:
            return not files.stop.exists()
        if files.stop.exists() and not asked:
            asked = True
            _signal(_number(lock), signal.SIGINT)
    return False


def _wait(process: subprocess.Popen[bytes], files: Files) -> tuple[float, float]:
    """Wait for a process, and end it where that is asked for. Return its CPU seconds and peak MiB."""
    asked = 0.0
    while not (told := os.wait4(process.pid, os.WNOHANG))[0]:
        if files.stop.exists() and not asked:
            asked = time.monotonic()
            process.send_signal(signal.SIGINT)
        elif asked and time.monotonic() - asked > GRACE_SECONDS:
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(LOOK_SECONDS)
    _pid, status, usage = told
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / UNITS_A_MIB


def _number(lock: IO[str]) -> int:
    lock.seek(0)
    return int(lock.read() or 0)


def _signal(pid: int, number: int) -> None:
    if pid:
        os.kill(pid, number)
