"""The kernel that a notebook runs in."""

from __future__ import annotations

import os
import time

from IPython.core.getipython import get_ipython

GRACE_SECONDS = 3.0
ENGINE = "BMNB_ENGINE"
"""What our engine sets in its kernels' environment."""
WATCHED = (ENGINE, "JPY_SESSION_NAME")
"""The second is what Jupyter's server sets for a notebook that somebody has open."""


def is_alone() -> bool:
    """Whether neither a person nor our engine watches the notebook, such as under papermill alone."""
    return get_ipython() is not None and not any(name in os.environ for name in WATCHED)


def is_ending() -> bool:
    """Whether an interrupt is the beginning of the kernel's end, which Jupyter tells it right after it."""
    shell = get_ipython()
    deadline = time.monotonic() + GRACE_SECONDS
    while shell is not None and time.monotonic() < deadline:
        if getattr(shell, "exit_now", False):
            return True
        time.sleep(0.1)
    return False
