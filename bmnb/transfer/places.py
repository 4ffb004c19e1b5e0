"""Where the trees lie on both servers, and which links are in what is carried."""

from __future__ import annotations

import json
from collections.abc import Sequence
from shlex import quote

from bmnb.bluemind.paths import ADDED_CONFIGURATION, CONFIGURATION, POSTFIX_MAPS
from bmnb.steps import Result, Row, Verdict
from bmnb.transfer.asking import links
from bmnb.transfer.placing import inline


def lie(trees: Sequence[str]) -> str:
    """A line that prints for each tree that is there: its path, which folder it is, where that is."""
    return f"""for tree in {" ".join(map(quote, trees))}; do
  [ ! -d "$tree" ] || echo "$tree $(stat -c %d:%i "$tree/") $(readlink -f "$tree")"
done"""


def lie_apart(*servers: Result) -> Verdict:
    """No two trees are one folder, or one in the other: what is deleted in one would be gone from the other."""
    wrong, number = [], 0
    for server in servers:
        rows = [line.split(" ", 2) for line in server.stdout.splitlines()]
        number = max(number, len(rows))
        wrong += [
            f"{server.host}: {other} lies in {tree}"
            for at, (tree, folder, place) in enumerate(rows)
            for there, (other, folder_there, place_there) in enumerate(rows)
            if at != there
            and (place_there.startswith(f"{place}/") or (folder_there == folder and at < there))
        ]
    failed = [server.stderr.strip() for server in servers if not server.ok]
    return Verdict(not wrong and not failed, "; ".join([*wrong, *failed]) or f"{number} trees lie apart")


def leading_out(trees: Sequence[str]) -> str:
    """A line that tells the links in the trees that lead out of them."""
    return inline(links, "trees", *trees)


def nothing_outside(told: Result) -> Verdict:
    """A link that leads nowhere is none that is read; what any other leads to is not carried."""
    items, number = _read(told)
    if number is None:
        return Verdict(False, told.stderr.strip() or "nothing was told of the links")
    wrong = tuple(item for item in items if item["what"] != links.NOTHING)
    if wrong:
        first = f"{wrong[0]['item']} leads to {wrong[0]['leads to']}"
        seen = f"{len(wrong)} links lead out of the trees, and what they lead to is not carried: {first}"
        return Verdict(False, seen, wrong)
    return Verdict(True, f"{number} links lead nowhere" if number else "none leads out", items)


def among_files(added: bool) -> str:
    """A line that tells the links among the configuration files."""
    copied = [path for path in CONFIGURATION if path not in POSTFIX_MAPS]
    return inline(links, "files", *copied, *(ADDED_CONFIGURATION if added else ()))


def can_be_followed(told: Result) -> Verdict:
    """Each is copied as what it leads to, as scp does; nothing comes from a link that leads nowhere."""
    items, number = _read(told)
    if number is None:
        return Verdict(False, told.stderr.strip() or "nothing was told of the links")
    wrong = [f"{item['item']} leads to {item['leads to']}" for item in items if item["what"] in _WRONG]
    if wrong:
        return Verdict(False, f"lead nowhere, or in a circle: {'; '.join(wrong[:5])}", items)
    return Verdict(True, f"{number} links are copied as what they lead to" if number else "no link", items)


_WRONG = (links.NOTHING, links.LOOP)


def _read(told: Result) -> tuple[tuple[Row, ...], int | None]:
    """The links, and how many there are in all; None where that was not told."""
    if not (told.ok and told.stdout):
        return (), None
    *items, last = map(json.loads, told.stdout.splitlines())
    return tuple(items), last["links"]
