"""`python -m benchmarks.record`: what status and report of a long journal cost, beside those of a short one."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.report import synthetic

COMMANDS = ("status", "report")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = [synthetic.long_run(Path(folder) / str(lines), lines, 3 * lines // 2) for lines in given.lines]
        for command in COMMANDS:
            measured = [cost(command, run) for run in runs]
            for run, one in zip(runs, measured, strict=True):
                beside = {f"{name} ratio": round(one[name] / measured[0][name], 1) for name in one}
                size = {"journal bytes": (run / "journal.jsonl").stat().st_size}
                print(
                    json.dumps({"command": command, "lines": int(run.name), **size, **one, **beside}),
                    flush=True,
                )
        print(json.dumps({"report bytes": [(run / "report.html").stat().st_size for run in runs]}))


def cost(command: str, run: Path) -> dict[str, float]:
    """Seconds, seconds of processor, and MiB at the most, of one command in a process of its own."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    told = subprocess.run(
        [sys.executable, "-c", PEAK, command, str(run)], capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "peak_mib": round(int(told.stderr.split()[-1]) / 1024, 1),
    }


PEAK = """
import sys
from bmnb.cli import main
try:
    main(sys.argv[1:])
finally:
    # not what getrusage tells, which knows the process before it became this one
    print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1], file=sys.stderr)
"""

if __name__ == "__main__":
    main()
