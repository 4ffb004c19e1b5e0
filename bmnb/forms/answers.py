"""The answers that a step waits for: a server's name typed to confirm, or who did what by hand."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, FileUpload, Text, Widget

from bmnb.answers import settles
from bmnb.errors import BmnbError
from bmnb.forms.keys import boxed
from bmnb.forms.view import LABEL, WIDE, View, marked, said
from bmnb.language import _
from bmnb.observe import beside
from bmnb.phrases import phrase
from bmnb.plain import plain
from bmnb.remote.questions import answers_can_be_typed
from bmnb.run import Run
from bmnb.steps import Manual, Phase, Step, singles


def ask(run: Run, step: Step) -> View:
    """What the step will do that costs service or data, with a field for the answer; the step's cell acts on it."""
    waiting = [one for one in singles(step.actions(run.settings)) if isinstance(one, Manual)]
    back = f"<p>{escape(way_back(step.phase))}</p>" if any(manual.expect for manual in waiting) else ""
    static = "".join(f"<p>{explained(manual)}</p>" for manual in waiting) + back
    if not waiting:
        return View(f"<p>{escape(_('With these parameters nobody is asked here.'))}</p>")
    if run.settings.dry_run or not answers_can_be_typed():
        return View(static)
    return View(static, boxed([child for manual in waiting for child in fields(run, manual, back)]))


def way_back(phase: Phase) -> str:
    """Whether one can go back from within a phase, and what that costs."""
    if not phase.back:
        return _("There is no way back from this phase.")
    text = _("The way back from this phase: {back}. It costs: {price}.")
    return text.format(back=phrase(phase.back), price=phrase(phase.price))


def explained(manual: Manual) -> str:
    """The text of a confirmation, the same for every reader."""
    wanted = (
        _("To confirm, type the server's name: {name}").format(name=manual.expect)
        if manual.expect
        else _("When it is done, say who did it, and how it can be seen.")
    )
    return f"<b>{escape(manual.host)}</b>: {escape(phrase(manual.title))}<br>{escape(wanted)}"


def fields(run: Run, manual: Manual, back: str = "") -> list[Widget]:
    answered = run.answered(manual.key)
    if settles(manual, answered):
        return [
            HTML(explained(manual)),
            said(_("Answered: {answer}").format(answer=answered), "good"),
        ]
    before = run.typed.get(manual.key, "")
    message = said(verdict(manual, before))
    label = _("Server's name") if manual.expect else _("Done by")
    field = Text(value=before, description=label, style=LABEL, layout=WIDE)

    def typed(change: dict[str, Any]) -> None:
        run.typed[manual.key] = change["new"].strip()
        message.value = verdict(manual, run.typed[manual.key])

    field.observe(typed, "value")
    children: list[Widget] = [HTML(explained(manual) + about(run, manual) + back), field, message]
    if not manual.expect:
        children += [remark(run, manual), proof(run, manual)]
    return children


def about(run: Run, manual: Manual) -> str:
    """What is there now that the question is about; where it cannot be looked at, the cell that acts says why."""
    try:
        told = beside(run.servers, manual)
    except BmnbError as error:
        told = str(error)
    return f"<p><b>{escape(plain(phrase(told)))}</b></p>" if told else ""


def verdict(manual: Manual, answer: str) -> str:
    if not answer:
        return ""
    if manual.expect and answer != manual.expect:
        return marked(_("This is not the server's name, so the next cell will stop."), "wrong")
    if not settles(manual, answer):
        return marked(_("This does not say who did it, so the next cell will stop."), "wrong")
    return marked(_("Run the next cell to go on."), "good")


def remark(run: Run, manual: Manual) -> Widget:
    """A note on what was done by hand; it is kept once the field is left."""
    field = Text(description=_("Note"), continuous_update=False, style=LABEL, layout=WIDE)
    field.observe(lambda change: run.note(f"{manual.title}: {change['new']}"), "value")
    return field


def proof(run: Run, manual: Manual) -> Widget:
    """A file that shows what was done by hand, such as a screenshot, for the run's folder."""
    upload = FileUpload(description=_("Attach a file"), layout={"margin": "0 0 0 214px", "width": "200px"})

    def chosen(change: dict[str, Any]) -> None:
        for file in change["new"]:
            run.attach(manual.title, file["name"], bytes(file["content"]))

    upload.observe(chosen, "value")
    return upload
