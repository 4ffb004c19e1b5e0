"""What a server asks of a person who logs in: in the terminal, or in a field of the notebook."""

from __future__ import annotations

import sys
import threading
from getpass import getpass
from typing import Any

from IPython.core.getipython import get_ipython

from bmnb.redact import Secret

_one_at_a_time = threading.Lock()


def answers_can_be_typed() -> bool:
    """Whether this cell was run by a person: papermill, nbconvert and nbval allow no input."""
    shell: Any = get_ipython()
    parent = shell.get_parent() if shell is not None and hasattr(shell, "get_parent") else {}
    return bool(parent.get("content", {}).get("allow_stdin"))


def somebody_is_there() -> bool:
    """The same, or that there is a terminal."""
    return answers_can_be_typed() or (get_ipython() is None and sys.stdin is not None and sys.stdin.isatty())


def ask(prompt: str, shown: bool) -> Secret:
    """What a person types; it stands in no output, unless it may be `shown`."""
    with _one_at_a_time:
        return Secret(input(prompt) if shown else getpass(prompt))
