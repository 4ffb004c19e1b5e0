"""Run on a server as `python3 -m comparing`, in the folder that this one is in.

    list SINCE PERCENT PLACE...      one JSON line a folder, at last how many there were
    ahead SINCE PERCENT PLACE...     of a server in use: files that rest, for their content
    compare FOLDER                   reads the lines of either
    unchanged FOLDER                 what `list` and `ahead` read: what need not be read again

A PLACE is a path, or a glob. The content of a file is told where it changed at SINCE (seconds) or later,
and for PERCENT of the rest, unless it was the same on both servers ahead and has changed on neither since.
`compare` writes `differences`, `again`, `mailboxes` and `sums` into FOLDER, and adds to `known` what is the
same ahead. Whatever lies in a PLACE here alone differs, unless the PLACE begins with a +.
"""

import sys
import time
from functools import partial

from .comparison import compare
from .contents import REST_SECONDS, Chosen, Keys, describe_ahead, unchanged
from .listing import describe, tell
from .paths import fail, fail_unless_gone, folders


def main() -> None:
    command, *words = sys.argv[1:]
    if command == "unchanged":
        unchanged(words[0])
    elif command == "compare":
        compare(words[0], sys.stdin.buffer)
    else:
        ahead, chosen = command == "ahead", Chosen(float(words[0]), int(words[1]))
        rested = partial(describe_ahead, chosen, time.time() - REST_SECONDS)
        gone = fail_unless_gone if ahead else fail
        tasks = (task for place in words[2:] for task in folders(place, gone))
        tell(rested if ahead else partial(describe, chosen), tasks, Keys(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
