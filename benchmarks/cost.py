"""What a command costs, with all processes below it."""

from __future__ import annotations

import resource
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass

import psutil

SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Cost:
    """Wall time and CPU time in seconds, and the peak of memory in MiB, each page shared by n counted 1/n times."""

    seconds: float
    cpu: float
    mib: float


def cost(*command: str) -> Cost:
    """What a command costs, with all processes below it. Raise CalledProcessError where it fails."""
    begun, peak, before = time.monotonic(), 0.0, resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        while process.poll() is None:
            peak = max(peak, mib(process.pid))
            time.sleep(SAMPLE_SECONDS)
        if process.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, said.read())
    seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak)


def mib(pid: int) -> float:
    """The memory of a process and all below it; nothing of those that end meanwhile."""
    found = 0.0
    with suppress(psutil.NoSuchProcess):
        known = psutil.Process(pid)
        for one in (known, *known.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, FileNotFoundError):
                found += one.memory_full_info().pss / 2**20
    return found
