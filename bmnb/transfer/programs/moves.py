"""Folders that were moved on the origin are moved on the target too, so that what is in them need not be sent.

A path is followed by the deepest folder above it that was moved.
"""

import os
from typing import Dict, Iterable, Iterator, Mapping, Sequence

from .lines import is_real

Moves = Dict[bytes, bytes]
"""The new path of a folder by its old one."""


def as_moves(told: Iterable[bytes]) -> Moves:
    """Moves, told as old and new paths in turn."""
    paths = iter(told)
    return dict(zip(paths, paths))


def upwards(path: bytes) -> Iterator[bytes]:
    """A path and every folder that it is in."""
    while path:
        yield path
        path = path.rpartition(b"/")[0]


def follow(moves: Mapping[bytes, bytes], path: bytes) -> bytes:
    """Where a path is after the moves."""
    for folder in upwards(path):
        if folder in moves:
            return moves[folder] + path[len(folder) :]
    return path


def moves_of(gone: Mapping[bytes, bytes], new: Mapping[bytes, bytes]) -> Moves:
    """The moves of folders that are gone from one path and new at another, given by inode.

    None is into a folder that is moved itself, so that they do not depend on their order.
    """
    every = {gone[inode]: new[inode] for inode in gone.keys() & new.keys()}
    own = {old: path for old, path in every.items() if _with_parent(every, old) != path}
    return {old: path for old, path in own.items() if not any(folder in own for folder in upwards(path))}


def _with_parent(moves: Moves, old: bytes) -> bytes:
    parent = old.rpartition(b"/")[0]
    return follow(moves, parent) + old[len(parent) :]


def move(moves: Moves, trees: Sequence[bytes]) -> Moves:
    """Move folders here; return those moves that could be made."""
    done: Moves = {}
    for old, new in sorted(moves.items(), key=lambda pair: pair[1]):
        here = follow(done, old)
        if os.path.lexists(new) or not all(is_real(path, trees) for path in (here, os.path.dirname(new))):
            continue
        try:
            os.makedirs(os.path.dirname(new), exist_ok=True)
            os.rename(here, new)
        except OSError:
            continue  # another file system, say: it is deleted and sent
        done[old] = new
    return done
