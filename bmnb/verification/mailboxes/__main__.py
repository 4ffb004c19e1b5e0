"""Run on a server as `python3 -m mailboxes`, in the folder that this one is in.

record                   print the record of every mailbox, from the store of a Cyrus that is stopped
unknown FOLDER           print the names of the record in FOLDER that Cyrus does not have in its list
look FOLDER SECONDS      look at every mailbox over IMAP against it, and go on where an earlier look ended
show FOLDER              print what was found so far
"""

import json
import sys

from .listed import unknown
from .looking import look, looked, records
from .record import record


def show(folder: str) -> None:
    found = looked(folder)
    names = [str(ones[0]["mailbox"]) for ones in records(folder)]
    told = [found[name] for name in names if name in found]
    print(json.dumps({"mailboxes": told, "left": [name for name in names if name not in found]}))


def main() -> None:
    command, *words = sys.argv[1:]
    if command == "record":
        record()
    elif command == "unknown":
        found = records(words[0])
        print(json.dumps({"folders": sum(map(len, found)), "unknown": unknown(found)}))
    elif command == "look":
        look(words[0], float(words[1]))
    else:
        show(words[0])


if __name__ == "__main__":
    main()
