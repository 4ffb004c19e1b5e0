"""The log of what bmnb, paramiko and papermill do, for whoever looks for a fault; secrets are masked.

It is a file, since a notebook's kernel is a process of its own: all of them write the one that the environment names.
A terminal is shown what the file grows by, whichever process wrote it.
"""

from __future__ import annotations

import logging
import os
import platform
import stat
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from bmnb import __version__, redact
from bmnb.errors import InputError
from bmnb.files import private, write_all
from bmnb.plain import plain, say

VARIABLE = "BMNB_LOG_FILE"
LOGGERS = ("bmnb", "paramiko", "papermill", "urllib3")
LEVELS = ("WARNING", "INFO", "DEBUG")
"""What is shown without `-v`, with it, and with `-vv`; the file has all."""
LOOK_SECONDS = 0.2

logger = logging.getLogger(__name__)


class Format(logging.Formatter):
    """A line a record, in UTC; what follows its first line is set in, so that no text can pass for a record."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return "\n    ".join(plain(redact.text(super().format(record))).splitlines())


class Log(logging.Handler):
    """Appends to a file that its owner alone can read. What cannot be written is told once, and stops nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = private(path).open("ab", buffering=0)
            if stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                os.fchmod(self._file.fileno(), 0o600)
        except OSError as error:
            raise InputError(f"the log {path} cannot be written: {error.strerror}") from error
        super().__init__()
        self.setFormatter(Format())

    def emit(self, record: logging.LogRecord) -> None:
        try:
            write_all(self._file, f"{self.format(record)}\n".encode(errors="backslashreplace"))
        except OSError as error:
            end()
            say(f"the log {self.path} is not written any more: {error.strerror}", err=True)

    def close(self) -> None:
        self._file.close()
        super().close()


_log: Log | None = None


def attach() -> None:
    """Write the file that the environment names, if it names one, from now on. Raise InputError where that fails."""
    global _log
    path = os.environ.get(VARIABLE)
    if not path or (_log and _log.path == Path(path)):
        return
    end()
    _log = Log(Path(path))
    for name in LOGGERS:
        logging.getLogger(name).addHandler(_log)
        logging.getLogger(name).setLevel(logging.DEBUG)


def end() -> None:
    """Write no more."""
    global _log
    if _log:
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(_log)
            logging.getLogger(name).setLevel(logging.NOTSET)
        _log.close()
        _log = None


class Diagnostics:
    """A command's log: kept in a file where one is named, shown as far as it is asked for, for as long as it runs."""

    def __init__(self, path: Path | None, shown: int) -> None:
        self._before = os.environ.get(VARIABLE)
        self._own = tempfile.TemporaryDirectory(prefix="bmnb-") if shown and not path else None
        if self._own:
            path = Path(self._own.name, "log")
        if path:
            os.environ[VARIABLE] = str(path.absolute())
        try:
            attach()
        except InputError:
            self._restore()
            raise
        self._show = (
            Shown(path, LEVELS[min(shown, len(LEVELS) - 1)]) if path and shown and path.is_file() else None
        )

    def begin(self, words: Sequence[str]) -> None:
        python, system = platform.python_version(), platform.platform()
        logger.info("bmnb %s, Python %s, %s: %s", __version__, python, system, " ".join(words))

    def hand_over(self) -> None:
        """Leave a file that was named to the program that this process becomes, and nothing else."""
        named = None if self._own else os.environ.get(VARIABLE)
        self.close()
        if named:
            os.environ[VARIABLE] = named

    def close(self) -> None:
        end()
        if self._show:
            self._show.close()
        if self._own:
            self._own.cleanup()
        self._restore()

    def _restore(self) -> None:
        if self._before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = self._before


class Shown:
    """Shows a terminal what a log grows by, from a level on."""

    def __init__(self, path: Path, level: str) -> None:
        self._file = path.open(encoding="utf-8")
        self._least = logging.getLevelNamesMapping()[level]
        self._line, self._passes = "", True
        self._file.seek(0, os.SEEK_END)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._file.close()

    def _follow(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self._news()
        self._news()

    def _news(self) -> None:
        while part := self._file.readline():
            self._line += part
            if part.endswith("\n"):
                self._tell(self._line.rstrip("\n"))
                self._line = ""

    def _tell(self, line: str) -> None:
        if not line.startswith(" "):
            level = line.split(" ", 2)[1]
            self._passes = logging.getLevelNamesMapping().get(level, logging.DEBUG) >= self._least
        if self._passes:
            say(line, err=True)
