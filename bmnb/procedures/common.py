"""The parameters that every procedure has."""

from __future__ import annotations

from dataclasses import dataclass

from bmnb.language import LANGUAGES
from bmnb.settings import setting


@dataclass(frozen=True)
class RunSettings:
    """Where a run is kept, how its servers are reached, who answers, and in which language."""

    runs: str = setting("runs", "folder of the runs", form=False)
    folder: str = setting(
        "", "folder of this run; empty takes the client's unfinished run, or a new folder", form=False
    )
    ssh_config: str = setting("~/.ssh/config", "ssh configuration of this machine", label="ssh configuration")
    language: str = setting(
        "en",
        "language of tables, forms and messages: en or fr",
        label="Language",
        choices={"English": "en", "Français": "fr"},
    )
    answers: dict[str, str] = setting(
        {}, "answers to confirmations and manual steps, by their key", form=False
    )
    dry_run: bool = setting(
        True,
        "show the plan; contact no server",
        label="Carry it out?",
        choices={"no, show the plan only": True, "yes, on the servers": False},
    )

    def common_problems(self) -> list[str]:
        """What is wrong with these values, each in one line."""
        if self.language not in LANGUAGES:
            return [f"language: {self.language!r} is not one of {', '.join(LANGUAGES)}"]
        return []
