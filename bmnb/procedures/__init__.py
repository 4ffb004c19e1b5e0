"""One package a document of BlueMind; the only place with its order of work."""

from bmnb.errors import InputError
from bmnb.procedures import changing_distributions, updating_bluemind
from bmnb.steps import Procedure

ALL = (changing_distributions.PROCEDURE, updating_bluemind.PROCEDURE)


def named(name: str) -> Procedure:
    """The procedure of this name, as journals and commands call it. Raise InputError for an unknown one."""
    found = next((one for one in ALL if one.name == name), None)
    if found is None:
        raise InputError(f"no procedure {name!r}: there are {', '.join(one.name for one in ALL)}")
    return found
