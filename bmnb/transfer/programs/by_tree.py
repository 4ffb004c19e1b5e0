"""What of each tree there is, and is to be sent and deleted."""

from typing import Counter, Iterable, Iterator, Sequence, Tuple

from .lines import size_of, tree_of

COUNTED = ("files", "bytes", "transferred", "deleted", "changed bytes", "line bytes")
"""`files` are entries of every kind, `bytes` those of all names of files, `transferred` what is sent of both."""

ByTree = Counter[Tuple[bytes, str]]
"""Numbers by a tree and what is counted."""


def counted(lines: Iterable[bytes], trees: Sequence[bytes], into: ByTree) -> Iterator[bytes]:
    """Let the lines of a list through; at its end, have counted files and bytes. One tree comes after the other."""
    tree, inside, files, size = b"", b" ", 0, 0
    for line in lines:
        # before the path there are numbers and letters alone
        at = line.find(b" /") + 1
        if not line.startswith(inside, at):
            into.update({(tree, "files"): files, (tree, "bytes"): size})
            tree, files, size = tree_of(line[at:], trees), 0, 0
            inside = tree + b"/"
        files += 1
        size += size_of(line)
        yield line
    into.update({(tree, "files"): files, (tree, "bytes"): size})
