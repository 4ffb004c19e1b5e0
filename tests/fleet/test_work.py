"""A client's process is waited for in the same way on Linux and macOS."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bmnb.fleet import work


@pytest.fixture
def stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    monkeypatch.setattr(work, "LOOK_SECONDS", 0.02)
    return tmp_path / "stop"


def started(program: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", program], start_new_session=True, stderr=subprocess.DEVNULL
    )


def test_what_it_took_is_told_when_it_ends(stop: Path):
    process = started("import sys; sum(range(3_000_000)); sys.exit(3)")
    seconds, peak = work._wait(process, SimpleNamespace(stop=stop))  # type: ignore[arg-type]
    assert process.returncode == 3
    assert seconds > 0
    assert 1 < peak < 1000


def test_it_is_interrupted_where_that_is_asked_for_and_killed_where_it_goes_on(
    stop: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(work, "GRACE_SECONDS", 0.2)
    stop.touch()
    ready = stop.with_name("ready")
    ignores = "import pathlib, signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    process = started(f"{ignores}; pathlib.Path({str(ready)!r}).touch(); time.sleep(60)")
    while not ready.exists():
        time.sleep(0.01)
    work._wait(process, SimpleNamespace(stop=stop))  # type: ignore[arg-type]
    assert process.returncode < 0
