"""Choose the cipher between two servers by measurement, and keep the order of those measured in ssh's configuration.

Runs on the target, on Python 3.7 or newer: cipher.py CONFIGURATION LINE COMMAND..., a command that runs the line
on the origin. Takes little time and few bytes whatever the line is like: what was not measured by then is left out.
"""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import Dict, Sequence

CIPHERS = ("aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com")
"""Where they are as fast, the first is taken."""

AS_FAST = 0.9
BLOCK = 1 << 20
SECONDS, SECONDS_IN_ALL = 0.2, 2.0
"""Of a measurement, from its first bytes on; of all, with the time to connect."""

ROUNDS = 2
"""Whatever else the servers do makes a cipher slower, never faster: the better of its rounds counts."""

SET_PIPE_SIZE = 1031
"""Linux's F_SETPIPE_SZ, which Python has a name for from 3.10 on."""

SOURCE = "import os, sys; block = os.urandom(1 << 20); [sys.stdout.buffer.write(block) for _ in range(128)]"
"""Bytes that cannot be compressed, from the origin."""


def rate(command: Sequence[str], deadline: float) -> float:
    """Bytes a second of what a command prints; 0 where it printed nothing, or too late."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as running:
        assert running.stdout
        pipe = running.stdout.fileno()
        # with a small one this process would be what is measured
        fcntl.fcntl(pipe, SET_PIPE_SIZE, BLOCK)
        began = ended = got = 0.0
        while select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            block = os.read(pipe, BLOCK)
            if not block:
                break
            ended = time.monotonic()
            if began:
                got += len(block)
            else:
                began, deadline = ended, min(deadline, ended + SECONDS)
        os.killpg(running.pid, signal.SIGKILL)
    return got / (ended - began) if got else 0.0


def chosen(rates: Dict[str, float]) -> Sequence[str]:
    """The ciphers in the order in which ssh should ask for them; none where there was no choice."""
    measured = [one for one in rates if rates[one]]
    if len(measured) < 2:
        return []
    best = next(one for one in measured if rates[one] >= AS_FAST * max(rates.values()))
    return [best, *(one for one in measured if one != best)]


def keep(configuration: str, ciphers: Sequence[str]) -> None:
    """Its last host is the origin."""
    with open(configuration) as file:
        lines = [line for line in file if not line.lstrip().startswith("Ciphers ")]
    with open(f"{configuration}.new", "w") as file:
        file.writelines([*lines, *([f"  Ciphers {','.join(ciphers)}\n"] if ciphers else [])])
    os.rename(f"{configuration}.new", configuration)


def main() -> None:
    configuration, line, *shell, login = sys.argv[1:]
    known = (
        subprocess.run(["ssh", "-Q", "cipher"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    )
    deadline = time.monotonic() + SECONDS_IN_ALL
    rates = dict.fromkeys((one for one in CIPHERS if one in known), 0.0)
    for one in [*rates] * ROUNDS:
        rates[one] = max(rates[one], rate([*shell, "-c", one, login, line], deadline))
    order = chosen(rates)
    keep(configuration, order)
    told = [f"{one} {rates[one] / 1e6:.0f} MB/s" for one in order or rates if rates[one]]
    print(json.dumps({"cipher": order[0] if order else "", "measured": told}))


if __name__ == "__main__":
    main()
