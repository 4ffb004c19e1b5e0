"""The form that starts a run from the index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipywidgets import Dropdown, Text, VBox

from bmnb import procedures
from bmnb import start as folders
from bmnb.folders import NOTEBOOK
from bmnb.forms.view import LABEL, WIDE, View, marked
from bmnb.language import _, current
from bmnb.remote.questions import answers_can_be_typed
from bmnb.steps import Procedure


class Start(View):
    """Procedure, client and language of a new run; `make` makes its folder."""

    def __init__(self) -> None:
        about: dict[str, Any] = {"style": LABEL, "layout": WIDE}
        self.procedure = Dropdown(
            options=[(_(one.title), one) for one in procedures.ALL], description=_("Procedure"), **about
        )
        self.client = Text(description=_("Client"), placeholder="Example Ltd", **about)
        self.language = Dropdown(
            options={"English": "en", "Français": "fr"}, value=current(), description=_("Language"), **about
        )
        box = VBox([self.procedure, self.client, self.language])
        static = marked(_("A form for procedure, client and language stands here while a kernel runs."))
        super().__init__(static, box if answers_can_be_typed() else None)

    def make(self, runs: str) -> View:
        """Make the folder where a client is given, and show where its notebook is."""
        if not self.client.value.strip():
            return View(marked(_("Give the client's name in the form above, then run this cell.")))
        procedure: Procedure = self.procedure.value
        folder = folders.new(procedure, self.client.value, Path(runs), self.language.value)
        return View(f'<a href="{folder / NOTEBOOK}">{folder.name}</a>')


def start() -> Start:
    return Start()
