"""Find links in places that a migration carries.

Runs on a server as root, with its Python from 3.5 on, so it imports nothing of this project:

    links.py trees TREE...     links within trees that lead out of them: carried as the links that they are
    links.py files GLOB...     links among files that are copied as what they lead to, and what leads nowhere

Each prints a JSON line a link, then one with how many there were.
"""

import glob
import json
import os
import subprocess
import sys
from typing import Any, Dict, Iterator, Sequence

LISTED = 1000
FOLDER, FILE, NOTHING, LOOP = "folder", "file", "nothing", "loop"


def text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def within(path: bytes, places: Sequence[bytes]) -> bool:
    return any(path == place or path.startswith(place + b"/") for place in places)


def told(link: bytes, place: bytes) -> Dict[str, Any]:
    """A link, where it leads to in the end, and what is there."""
    kind = FOLDER if os.path.isdir(place) else FILE if os.path.exists(place) else NOTHING
    return {"item": text(link), "leads to": text(place), "what": kind}


def links_in(tree: bytes) -> Iterator[bytes]:
    command = ["find", "-H", os.fsdecode(tree), "-type", "l", "-print0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as found:
        assert found.stdout
        rest = b""
        for block in iter(lambda: found.stdout.read(1 << 20), b""):  # type: ignore
            *paths, rest = (rest + block).split(b"\0")
            yield from paths


def outside(trees: Sequence[bytes]) -> Iterator[Dict[str, Any]]:
    """On another server a link leads to the same if it names a tree, or stays in one."""
    real = [os.path.realpath(tree) for tree in trees]
    for tree in trees:
        if os.path.isdir(tree):
            for link in links_in(tree):
                place = os.path.realpath(link)
                as_named = os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))
                stays = within(as_named, trees) and os.path.realpath(as_named) == place
                if not (stays and within(place, real)):
                    yield told(link, place)


def below(folder: bytes, above: Sequence[bytes]) -> Iterator[Dict[str, Any]]:
    """The links in a folder, and in those that links lead to."""
    real = os.path.realpath(folder)
    if real in above:
        yield dict(told(folder, real), what=LOOP)
        return
    for name in sorted(os.listdir(folder)):
        yield from followed(os.path.join(folder, name), [*above, real])


def followed(path: bytes, above: Sequence[bytes] = ()) -> Iterator[Dict[str, Any]]:
    if os.path.islink(path):
        yield told(path, os.path.realpath(path))
    if os.path.isdir(path):
        yield from below(path, above)


def files(places: Sequence[bytes]) -> Iterator[Dict[str, Any]]:
    for place in places:
        folder, name = os.path.split(place)
        for path in [folder] if name == b"*" else sorted(glob.glob(place)):
            yield from followed(path)


def main() -> None:
    command, *words = sys.argv[1:]
    find = {"trees": outside, "files": files}[command]
    number = 0
    found = {}  # type: Dict[str, Dict[str, Any]]
    for one in find([os.fsencode(word) for word in words]):
        number += one["item"] not in found
        if len(found) < LISTED:
            found[one["item"]] = one
    for one in found.values():
        print(json.dumps(one))
    print(json.dumps({"links": number}))


if __name__ == "__main__":
    main()
