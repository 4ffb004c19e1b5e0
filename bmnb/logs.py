"""What the commands of a run have printed, a file an action."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bmnb import redact
from bmnb.errors import BmnbError
from bmnb.files import append_text, private_folder


@dataclass(frozen=True)
class Logs:
    """The folder of a run's logs."""

    folder: Path

    def append(self, key: str, text: str) -> None:
        """Add to the log of the action with this key, without its secrets. Raise BmnbError where that fails."""
        path = self.folder / f"{key.replace('/', '-')}.log"
        try:
            private_folder(self.folder)
            append_text(path, redact.text(text))
        except OSError as error:
            raise BmnbError(f"the log {path} cannot be written, so nothing more is done: {error}") from error
