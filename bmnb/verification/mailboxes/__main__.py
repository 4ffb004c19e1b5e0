"""Run on a server as `python3 -m mailboxes`, in the folder that this one is in.

record                   print the record of every mailbox, from the store of a Cyrus that is stopped
unknown FOLDER           print the names of the record in FOLDER that Cyrus does not have in its list, or why it
                         cannot be read
look FOLDER SECONDS      look at every mailbox over IMAP against it, and go on where an earlier look ended
show FOLDER              print what was found so far
"""

import json
import subprocess
import sys
from typing import Any, Dict, List

from .listed import unknown
from .looking import look, looked, records
from .record import record


def show(folder: str) -> None:
    found = looked(folder)
    names = [str(ones[0]["mailbox"]) for ones in records(folder)]
    told = [found[name] for name in names if name in found]
    print(json.dumps({"mailboxes": told, "left": [name for name in names if name not in found]}))


def known(found: List[List[Dict[str, Any]]]) -> None:
    told = {"folders": sum(map(len, found))}  # type: Dict[str, Any]
    try:
        told["unknown"] = unknown(found)
    except (OSError, subprocess.SubprocessError) as error:
        told.update(unread=str(error), final=isinstance(error, FileNotFoundError))
    print(json.dumps(told))


def main() -> None:
    command, *words = sys.argv[1:]
    if command == "record":
        record()
    elif command == "unknown":
        known(records(words[0]))
    elif command == "look":
        look(words[0], float(words[1]))
    else:
        show(words[0])


if __name__ == "__main__":
    main()
