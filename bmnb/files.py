"""Files that are whole or not there at all, and that only their owner can read."""

from __future__ import annotations

import os
from pathlib import Path


def private_folder(path: Path) -> Path:
    """Make a folder, and those above it that are missing, for its owner alone."""
    for one in reversed([path, *path.parents]):
        if not one.is_dir():
            one.mkdir(mode=0o700, exist_ok=True)
    return path


def private(path: Path) -> Path:
    """A file for its owner alone, made where there is none; one that is there stays as it is."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return path


def replace_text(path: Path, text: str) -> None:
    """Write a file beside its place, onto the disk, then put it there in one move."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with private(beside).open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
