"""What can stop a run, each with the exit code of the command line."""

import logging

from bmnb import redact
from bmnb.phrases import phrase
from bmnb.plain import plain


class BmnbError(Exception):
    """A run that cannot go on; the text is one message for the operator, and holds no secret."""

    exit_code = 1

    def __str__(self) -> str:
        return plain(redact.text(phrase(super().__str__())))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in the cell: the message, without our stack, which the log has."""
        logging.getLogger(__name__).debug("a cell ended by:", exc_info=self)
        return [f"{type(self).__name__}: {self}"]


class ActionFailed(BmnbError):
    """A command ended badly, or what it should have done is not there."""


class ConnectionFailed(ActionFailed):
    """A server cannot be reached or will not let us in."""


class InputError(BmnbError):
    """A parameter, client file or server name is wrong; nothing was touched."""

    exit_code = 2


class Stopped(BmnbError):
    """An inhibitor or an unanswered confirmation: the run waits for a person."""

    exit_code = 3


class KernelDied(ActionFailed):
    """The process that executes the notebook is gone: killed, out of memory, or the machine's end."""


class TimedOut(ActionFailed):
    """A cell took longer than it was given."""


class Interrupted(Stopped):
    """The operator, or the machine, asked the run to end."""
