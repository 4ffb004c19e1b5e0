"""The kernel that a notebook runs in."""

from __future__ import annotations

import time

from IPython.core.getipython import get_ipython

GRACE_SECONDS = 3.0


def is_ending() -> bool:
    """Whether an interrupt is the beginning of the kernel's end, which Jupyter tells it right after it."""
    shell = get_ipython()
    deadline = time.monotonic() + GRACE_SECONDS
    while shell is not None and time.monotonic() < deadline:
        if getattr(shell, "exit_now", False):
            return True
        time.sleep(0.1)
    return False
