"""Run on a server as `python3 -m comparing.definitions ORIGIN TARGET`, two files that one pg_dump has written.

Prints a line of JSON for each definition that differs: its kind, its name, and what the origin and the target have;
at last how many there are.
"""

import json
import re
import sys
from typing import Dict, Iterator, List, Optional, Tuple

HEAD = re.compile(r"-- Name: (.*); Type: ([A-Z ]+); Schema: (.*); Owner: (.*)")
AROUND = re.compile(r"(--|SET default_\w+ = .*;|\\(un)?restrict .*|-- PostgreSQL database dump complete|)$")
"""Lines between two definitions; which defaults are set there depends on their order."""

SHOWN = 300

Key = Tuple[str, str]
Definitions = Dict[Key, List[List[str]]]
"""The lines of each definition of a kind and name; there may be several."""


def read(path: str) -> Definitions:
    found, last = {}, []  # type: Definitions, List[str]
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for line in file:
            head = HEAD.match(line)
            if head:
                name, kind, schema, _ = head.groups()
                last = []
                found.setdefault((kind, name if schema == "-" else "{}.{}".format(schema, name)), []).append(
                    last
                )
            else:
                last.append(line.rstrip("\n"))
    return {key: sorted(map(trimmed, every)) for key, every in found.items()}


def trimmed(lines: List[str]) -> List[str]:
    within = [number for number, line in enumerate(lines) if not AROUND.match(line)]
    return lines[within[0] : within[-1] + 1] if within else []


def differences(theirs: Definitions, ours: Definitions) -> Iterator[Tuple[str, str, str, str]]:
    for kind, name in sorted(theirs.keys() | ours.keys()):
        there, here = theirs.get((kind, name)), ours.get((kind, name))
        if there != here:
            yield kind, name, told(there, here), told(here, there)


def told(one: Optional[List[List[str]]], other: Optional[List[List[str]]]) -> str:
    """The lines that one has and the other has not."""
    if one is None:
        return "absent"
    known = {line for lines in other or () for line in lines}
    return "\n".join(line for lines in one for line in lines if line not in known)[:SHOWN] or "otherwise"


def main() -> None:
    theirs, ours = map(read, sys.argv[1:])
    for difference in differences(theirs, ours):
        print(json.dumps(difference))
    print(json.dumps([len(theirs)]))


if __name__ == "__main__":
    main()
