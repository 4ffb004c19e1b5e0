"""The run that a kernel has open, for the cells of its notebook: `from bmnb.opened import runbook`.

Where there is none, as in a kernel that was started anew, the cell says which cells come first. The name is no
command of IPython's: it takes a line such as `run(step)` for `%run` as long as nobody has given `run` a meaning.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from bmnb.errors import BmnbError, Stopped
from bmnb.language import LANGUAGES, _, use
from bmnb.settings import CLIENT_FILE, read

_now: dict[str, Any] = {}


def keep(run: Any) -> None:
    """The kernel has this run open from now on."""
    _now.clear()
    _now["run"] = run


def current() -> Any:
    """The run that the kernel has open; None where there is none."""
    return _now.get("run")


def fail(error: BmnbError) -> None:
    """It could not be opened; the kernel has none open."""
    _now.clear()
    _now["error"] = error


def none_yet() -> Stopped:
    """What a cell says that comes before the cells of the parameters."""
    with suppress(BmnbError):  # a new kernel knows no language yet
        chosen = read(Path(CLIENT_FILE)).get("language")
        use(chosen if chosen in LANGUAGES else "en")
    return Stopped(
        _(
            "No run is open in this kernel, which was started anew, it may be.\n"
            "  → run the cells under “Parameters” first, from `client: str` to the one with `begin`, then this one; "
            "what is done is not done twice"
        )
    )


def __getattr__(name: str) -> Any:
    if name != "runbook":
        raise AttributeError(name)
    if "run" in _now:
        return _now["run"]
    if "error" in _now:
        text = _("The run was not opened, so nothing was done here:\n{why}")
        raise Stopped(text.format(why=_now["error"]))
    raise none_yet()
