"""Phases of the document, and for each the way back and its price."""

from __future__ import annotations

from bmnb.steps import Phase

TO_SERVICE = "the origin's services start again, where nothing was changed; "
TO_TARGET = "the target gets its own databases and configuration back and stays stopped"
ITS_MAIL = (
    "the mail that the target has accepted since; it is counted and listed first, and kept on the target. Where the "
    "address was moved by hand, also the time until it was moved back; with a new address, until the names lead back"
)
BACK = "the target stops, the address goes back to the origin, or the names that lead there do; "
PREREQUISITES = Phase("Prerequisites", back="the run's key is withdrawn", price="nothing")
HOT = Phase(
    "Hot synchronization",
    back="the run's key is withdrawn; the target stays stopped",
    price="nothing on the origin; the target's own mail is gone",
)
COLD = Phase(
    "Cold synchronization",
    downtime=True,
    back=TO_SERVICE + TO_TARGET,
    price="the downtime until then, and the minute in which services start",
)
SWITCHING = Phase(
    "Switching servers",
    downtime=True,
    back=BACK + TO_SERVICE + TO_TARGET,
    price=ITS_MAIL,
)
POST_MIGRATION = Phase(
    "Post-migration",
    back=BACK + TO_SERVICE + "the target stays stopped",
    price=ITS_MAIL,
)
PHASES = (PREREQUISITES, HOT, COLD, SWITCHING, POST_MIGRATION)
