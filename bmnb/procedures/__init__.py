"""One module a document of BlueMind; the only place with its order of work."""

from bmnb.procedures import changing_distributions, updating_bluemind

ALL = (changing_distributions.PROCEDURE, updating_bluemind.PROCEDURE)
