"""How much memory the controller takes for a hot synchronization, for few and for many messages.

Usage: python benchmarks/controller_memory.py [MESSAGES ...], as root; the lab is booted for each.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from bmnb.lab import Lab

RUN = [sys.executable, "-m", "bmnb", "run", "changing-distributions", "--through", "hot-synchronization"]
MESSAGES = (20_000, 200_000)


def peak_mib(messages: int) -> float:
    """Peak resident memory of the largest of the run's processes (the command, papermill, the kernel), in MiB."""
    lab = Lab(f"memory-{os.getpid()}")
    try:
        lab.up(messages=messages)
        with tempfile.TemporaryDirectory() as runs:
            client = {
                "client": "memory",
                "origin": "origin",
                "target": "target",
                "address": lab.origin.address,
                "ssh_config": str(lab.ssh_config),
                "runs": runs,
                "answers": {"erase-target": "target"},
                "dry_run": False,
            }
            path = Path(runs) / "client.yaml"
            path.write_text(yaml.safe_dump(client))
            subprocess.run([*RUN, "-f", path], check=True, stdout=subprocess.DEVNULL)
    finally:
        lab.down()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    """Each size in a process of its own: the system's count of peaks is per parent."""
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        print(f"{peak_mib(int(sys.argv[2])):.0f}")
        return
    print("messages  peak MiB")
    for messages in map(int, sys.argv[1:] or map(str, MESSAGES)):
        done = subprocess.run(
            [sys.executable, __file__, "--one", str(messages)], check=True, stdout=subprocess.PIPE, text=True
        )
        print(f"{messages:8}  {done.stdout.strip():>8}")


if __name__ == "__main__":
    main()
