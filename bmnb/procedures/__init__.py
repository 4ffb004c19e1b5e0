"""One package a document of BlueMind; the only place with its order of work.

A procedure is imported when it is asked for: the command line needs the names alone to show its help.
"""

from importlib import import_module

from bmnb.errors import InputError
from bmnb.steps import Procedure

NAMES = ("changing-distributions", "updating-bluemind", "major-update")


def named(name: str) -> Procedure:
    """The procedure of this name, as journals and commands call it. Raise InputError for an unknown one."""
    if name not in NAMES:
        raise InputError(f"no procedure {name!r}: there are {', '.join(NAMES)}")
    found: Procedure = import_module(f"{__name__}.{name.replace('-', '_')}").PROCEDURE
    return found


def __getattr__(name: str) -> tuple[Procedure, ...]:
    """`ALL` of them."""
    if name != "ALL":
        raise AttributeError(name)
    return tuple(map(named, NAMES))
