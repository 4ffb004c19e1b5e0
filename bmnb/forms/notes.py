"""A place for the operator's notes, which land in the journal and in the report."""

from __future__ import annotations

from typing import Any

from ipywidgets import HTML, Button, FileUpload, Textarea, VBox

from bmnb.forms.view import LABEL, WIDE, View
from bmnb.language import _
from bmnb.remote.questions import answers_can_be_typed
from bmnb.run import Run

BESIDE_LABELS = {"margin": "0 0 4px 214px", "width": "max-content"}


def notes(run: Run) -> View:
    """A field for a note, a file to go with it, and the notes there are."""
    return View(kept(run), Notes(run).box if answers_can_be_typed() else None)


def kept(run: Run) -> str:
    return str(run.note()._repr_html_())


class Notes:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.text = Textarea(description=_("Note"), rows=2, style=LABEL, layout=WIDE)
        self.upload = FileUpload(description=_("Attach a file"), layout=BESIDE_LABELS)
        self.keep = Button(description=_("Keep the note"), layout=BESIDE_LABELS)
        self.keep.on_click(lambda pressed: self._keep())
        self.table = HTML(kept(run))
        self.box = VBox([self.text, self.upload, self.keep, self.table])

    def _keep(self) -> None:
        text = self.text.value.strip()
        files: Any = self.upload.value
        for file in files:
            self.run.attach(text, file["name"], bytes(file["content"]))
        if text and not files:
            self.run.note(text)
        self.text.value, self.upload.value = "", ()
        self.table.value = kept(self.run)
