"""Run a command and pass on what it prints, at a rate that all who share a file do not exceed together.

Runs on the target, on Python 3.7 or newer: limited.py FILE BYTES-A-SECOND COMMAND...
"""

import fcntl
import os
import subprocess
import sys
import time

BLOCK = 1 << 18


def main() -> None:
    shared, rate, *command = sys.argv[1:]
    with open(shared, "wb") as turn, subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        assert running.stdout
        output = running.stdout.fileno()
        for block in iter(lambda: os.read(output, BLOCK), b""):
            fcntl.flock(turn, fcntl.LOCK_EX)
            time.sleep(len(block) / float(rate))
            fcntl.flock(turn, fcntl.LOCK_UN)
            sys.stdout.buffer.write(block)
            sys.stdout.buffer.flush()
    sys.exit(running.returncode)


if __name__ == "__main__":
    main()
