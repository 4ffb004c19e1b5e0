"""The events of a journal, and what a line of each tells: `docs/reference.py` makes the page of them."""

EVENTS = {
    "opened": "A process has opened the run, with these settings.",
    "pinned": "A name leads to this machine: a later contact must meet the same.",
    "locked": "A server is locked for this run.",
    "released": "The lock of a server is given back.",
    "unlocked": "A person has broken the lock that another run held.",
    "step started": "A step, or a pass of it, begins.",
    "started": "An action begins: it is on record before anything is sent.",
    "done": "An action has ended well, or what it checks holds.",
    "failed": "An action has ended badly, or what it checks does not hold or could not be looked at (`made` is false).",
    "skipped": "An action was not needed, or a person has let go of it.",
    "moved": "A server is reached by another address from here on.",
    "answer": "A confirmation, a manual step or a question has an answer.",
    "forecast": "How long the downtime took in past runs, before it begins.",
    "held warm": "A hot pass has ended, while they are repeated: why it failed, the seconds of downtime that are expected by now, and when the next one is due.",
    "step done": "All actions of a step, or of a pass of it, have ended.",
    "reopened": "Steps that were done count no more: what they have shown may have become wrong since.",
    "note": "A person has left a note, perhaps with a file.",
    "stopped": "A command has ended before the run was over, for this reason.",
    "finished": "The last step is done: the run is over.",
    "rollback started": "The way back begins.",
    "rollback given up": "The run goes on as if the way back had not begun, which had undone nothing yet.",
    "rolled back": "All is undone that was begun: the run is over.",
    "sealed": "The sums of the run's files, as the report was made.",
}
ALWAYS = {
    "number": "of the line, from 1",
    "time": "in UTC, to the millisecond",
    "local": "the same with the zone of the machine that wrote it",
    "who": "user and machine",
    "event": "one of the below",
    "before": "`sha256` of the line before; zeros in the first",
    "sha256": "of this line without this sum, as JSON with sorted keys",
}
"""The facts of every line."""
