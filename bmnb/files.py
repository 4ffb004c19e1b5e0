"""Files that are whole or not there at all, and that only their owner can read."""

from __future__ import annotations

import os
from contextlib import suppress
from io import FileIO
from pathlib import Path

from bmnb.errors import BmnbError


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
    """Write a file beside its place, onto the disk, then put it there in one move.

    Raise BmnbError where the disk refuses it; the file is then as it was.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with private(beside).open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise BmnbError(f"{path} cannot be written: {error.strerror}") from error


def append_text(path: Path, text: str) -> None:
    """Add to a file all of a text. Raise OSError where the disk refuses it; the file is then as it was."""
    with private(path).open("ab", buffering=0) as file:
        whole = file.seek(0, os.SEEK_END)
        try:
            write_all(file, text.encode(errors="surrogateescape"))
        except OSError:
            with suppress(OSError):
                file.truncate(whole)
            raise


def write_all(file: FileIO, data: bytes) -> None:
    """Write all of it: of a nearly full disk one write takes a part."""
    while data:
        data = data[file.write(data) :]
