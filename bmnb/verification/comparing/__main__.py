"""Run on a server as `python3 -m comparing`, in the folder that this one is in.

    list SINCE PERCENT PLACE...      one JSON line a folder, at last how many there were
    ahead SINCE PERCENT PLACE...     of a server in use: what rests
    compare list|ahead FOLDER        reads the lines of either
    late FOLDER SERVED               sorts what `compare` has found while the target is in use
    place FOLDER SERVED STAGING      puts what was brought below a folder in its place
    unchanged FOLDER PLACE...        what `list` and `ahead` read: what need not be told again

A PLACE is a path, or a glob. The content of a file is told where it changed at SINCE (seconds) or later,
and for PERCENT of the rest. What was the same on both servers ahead, and has changed on neither since, is told
by name alone; a folder in which all is so, by sums. `compare` writes `differences`, `again`, `mailboxes` and
`sums` into FOLDER, and adds to `known` what is the same ahead. Whatever lies in a PLACE here alone differs,
unless the PLACE begins with a +. A PLACE that is a link is looked through, and so is every link below one that
begins with ++.
"""

import sys
import time
from functools import partial

from .ahead import REST_SECONDS, describe_ahead
from .comparison import compare
from .known import unchanged
from .late import place, sort
from .listing import describe, tell


def main() -> None:
    command, *words = sys.argv[1:]
    if command == "unchanged":
        unchanged(words[0], words[1:])
    elif command == "late":
        sort(*words)
    elif command == "place":
        place(*words)
    elif command == "compare":
        compare(words[0], words[1], sys.stdin.buffer)
    else:
        rested = partial(describe_ahead, time.time() - REST_SECONDS)
        work = rested if command == "ahead" else describe
        tell(work, words[0], words[1], words[2:], sys.stdin.buffer.read())


if __name__ == "__main__":
    main()
