"""The form of a procedure's parameters, which keeps its values in the run's client file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from ipywidgets import HTML, Button, Checkbox, Combobox, Dropdown, HBox, IntText, Text, Textarea, VBox, Widget

from bmnb.forms.groups import ORDER, Group, applies, named
from bmnb.forms.keys import boxed
from bmnb.forms.offers import Offer, contradicted, offers
from bmnb.forms.view import LABEL, WIDE, View, marked, said
from bmnb.frozen import held, proven
from bmnb.journal import Journal
from bmnb.language import LANGUAGES, _, use
from bmnb.phrases import phrase
from bmnb.remote import config
from bmnb.remote.questions import answers_can_be_typed
from bmnb.run import parameters
from bmnb.settings import CLIENT_FILE, about, defaults, in_force, ordered, problems, read, recorded, write
from bmnb.steps import Procedure


def form(procedure: Procedure, values: Mapping[str, Any]) -> View:
    """The form for a notebook's parameters. Where nobody can type, or there is no run's folder, a sentence."""
    given = parameters(values)
    now = {**defaults(procedure.settings), **in_force(procedure.settings, given)}
    use(now["language"] if now["language"] in LANGUAGES else "en")
    if not now["folder"]:
        return View(
            marked(
                _("The copy of this notebook that `bmnb new` makes has a form here; this is the template.")
            )
        )
    static = marked(
        _("The form keeps its values in the run's client file. The table below shows those that count.")
    )
    if not answers_can_be_typed():
        return View(static)
    rested_on = held_in(Path(now["folder"]), procedure)
    return View(static, Parameters(procedure.settings, given, now, rested_on).box)


def held_in(folder: Path, procedure: Procedure) -> set[str]:
    """The names of the parameters that the steps of a run's folder hold as they are."""
    journal = Journal(folder / "journal.jsonl")
    opened = proven(journal)
    if opened is None:
        return set()
    return held(procedure, journal, recorded(procedure.settings, opened["settings"]))


class Parameters:
    """The fields, the message of each one, and the sum of them on top."""

    def __init__(
        self,
        settings: type,
        given: Mapping[str, Any],
        now: dict[str, Any],
        held: Collection[str] = (),
    ) -> None:
        self.settings, self.given, self.values, self.held = settings, given, now, held
        self.path = Path(now["folder"]) / CLIENT_FILE
        self.fields, self.usual = asked(settings), defaults(settings)
        self.summary = HTML()
        self.texts = {field.name: said("") for field in self.fields}
        self.offered: dict[str, Offer] = {}
        self.widgets: dict[str, Widget] = {}
        self.rows = {field.name: self._row(field) for field in self.fields}
        self.reader = Button(
            description=_("Read from the servers"),
            tooltip=_("Shows beneath the fields what the servers say; nothing is changed there."),
            layout={"width": "max-content", "margin": "4px 0 8px 214px"},
        )
        self.reader.on_click(lambda pressed: self._read())
        first = [self.rows[field.name] for field in self.fields if is_essential(field)]
        self.groups = [
            Group(title, [self.rows[one.name] for one in some]) for title, some in folded(settings)
        ]
        self.box = boxed([self.summary, *first, self.reader, *(group.box for group in self.groups)])
        self._judge()

    def _read(self) -> None:
        """Have the servers offer values; what is still empty or an example gets the only one there is."""
        self.offered = dict(offers(self.fields, self.values))
        for field in self.fields:
            offer = self.offered.get(field.name)
            if offer is None or not offer.values:
                continue
            self.widgets[field.name].options = offer.values
            if len(offer.values) == 1 and self._is_open(field):
                self.widgets[field.name].value = offer.values[0]
        self._judge()

    def _is_open(self, field: dataclasses.Field[Any]) -> bool:
        """Whether nobody has given a value yet that could be meant."""
        unset = self.values[field.name] == self.usual[field.name] and not self.widgets[field.name].disabled
        return unset and bool(field.metadata["exact"]) and applies(field, self.values, self.usual)

    def _row(self, field: dataclasses.Field[Any]) -> Widget:
        widget, read_from = widget_for(field, self.values[field.name], self._hosts())
        self.widgets[field.name] = widget
        widget.disabled = self._fixed(field.name) or field.name in self.held
        widget.observe(lambda change: self._typed(field.name, read_from(change["new"])), "value")
        unit = HTML(marked(about(field, "unit")), layout={"margin": "6px 0 0 4px"})
        return VBox([HBox([widget, unit]), self.texts[field.name]], layout={"margin": "0 0 6px 0"})

    def _help(self, field: dataclasses.Field[Any]) -> str:
        fixed = _("set in the cell of parameters") if self._fixed(field.name) else ""
        rests = (
            _("steps that are done rest on it: another value needs a new run")
            if field.name in self.held
            else ""
        )
        known = (
            self._hosts() if field.metadata["server"] and not isinstance(self.values[field.name], str) else []
        )
        named = _("known to ssh: {names}").format(names=", ".join(known)) if known else ""
        text = marked(" · ".join(filter(None, [self._meaning(field), fixed, rests, named])))
        offer = self.offered.get(field.name)
        return text + (marked(offer.said, "wrong" if offer.wrong else "good") if offer else "")

    def _meaning(self, field: dataclasses.Field[Any]) -> str:
        """What the choice means that is made; without one, what the field is for."""
        means = field.metadata["means"]
        value = self.values[field.name]
        return _(means[value]) if means and value in means else about(field, "help")

    def _fixed(self, name: str) -> bool:
        """Whether the notebook's cell of parameters has the last word."""
        return bool(self.given.get(name, self.usual[name]) != self.usual[name])

    def _hosts(self) -> list[str]:
        return config.names(Path(self.values["ssh_config"]).expanduser())

    def _typed(self, name: str, value: Any) -> None:
        self.values[name] = value
        if name == "ssh_config" or name in {one.name for one in self.fields if one.metadata["server"]}:
            self.offered = {}  # it was another server that was read
        self._judge()
        self._keep()

    def _keep(self) -> None:
        kept = read(self.path) if self.path.exists() else {}
        chosen = {
            field.name: self.values[field.name]
            for field in self.fields
            if field.name in kept or self._differs(field)
        }
        write(self.path, {**kept, **chosen})

    def _differs(self, field: dataclasses.Field[Any]) -> bool:
        return bool(self.values[field.name] != self.usual[field.name])

    def _judge(self) -> None:
        wrong = problems(self.settings, self.values) + examples(self.settings, self.values)
        typed = [field for field in self.fields if field.name not in self.held]
        wrong += contradicted(typed, self.values, self.offered)
        told = {one.partition(": ")[0] for one in wrong}
        for field in self.fields:
            own = [one.split(": ", 1)[1] for one in wrong if one.startswith(f"{field.name}: ")]
            text = marked("\n".join(phrase(one) for one in own), "wrong")
            self.texts[field.name].value = text + self._help(field)
            shown = field.name in told or applies(field, self.values, self.usual)
            self.rows[field.name].layout.display = "" if shown else "none"
        for group, (_title, some) in zip(self.groups, folded(self.settings), strict=True):
            differing = [f"{_(label(one))} {self._said(one)}" for one in some if self._differs(one)]
            group.tell(differing, any(one.name in told for one in some))
        if wrong:
            lines = [_("Values that cannot be used:"), *(f"– {self._labelled(one)}" for one in wrong)]
            self.summary.value = marked("\n".join(lines), "wrong")
        else:
            self.summary.value = marked(
                _("All values can be used, and are kept. Run the next cell to go on with them."), "good"
            )

    def _said(self, field: dataclasses.Field[Any]) -> str:
        """The value of a field in the words of the form."""
        value = self.values[field.name]
        if field.metadata["choices"]:
            words = (_(text) for text, choice in field.metadata["choices"].items() if choice == value)
            return next(words, str(value))
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        return " ".join(value) if isinstance(value, list) else str(value)

    def _labelled(self, problem: str) -> str:
        """A problem with the label of its field in place of the parameter's name."""
        name, _colon, text = problem.partition(": ")
        labels = {field.name: _(label(field)) for field in self.fields}
        return f"{labels[name]}: {phrase(text)}" if name in labels else phrase(problem)


ESSENTIALS = ("address", "ssh_config", "dry_run", "through")
"""What every run needs beside its servers; the form asks for these first, and folds up the others."""


def asked(settings: type) -> list[dataclasses.Field[Any]]:
    """The fields that the form asks for, in their order."""
    shown = [field for field in ordered(settings) if field.metadata["form"]]
    first = [field for field in shown if field.metadata["server"]]
    first += [field for name in ESSENTIALS for field in shown if field.name == name]
    others = [field for field in shown if field not in first]
    return first + sorted(others, key=lambda field: ORDER.index(named(field)))


def is_essential(field: dataclasses.Field[Any]) -> bool:
    return bool(field.metadata["server"]) or field.name in ESSENTIALS


def folded(settings: type) -> list[tuple[str, list[dataclasses.Field[Any]]]]:
    """The other fields by the title of their group."""
    others = [field for field in asked(settings) if not is_essential(field)]
    return [(title, list(some)) for title, some in groupby(others, key=named)]


def examples(settings: type, values: Mapping[str, Any]) -> list[str]:
    """A problem for each server and address that is still the document's example, where it is to be carried out."""
    if values["dry_run"]:
        return []
    usual = defaults(settings)
    return [
        f"{field.name}: still the example of the document"
        for field in asked(settings)
        if (field.metadata["server"] or field.name == "address") and values[field.name] == usual[field.name]
    ]


def label(field: dataclasses.Field[Any]) -> str:
    """The label of a field, or its name as words."""
    return field.metadata["label"] or field.name.replace("_", " ").capitalize()


def widget_for(
    field: dataclasses.Field[Any], value: Any, hosts: list[str]
) -> tuple[Widget, Callable[[Any], Any]]:
    """The widget of a field, and how its value is read from it."""
    shape = {"description": _(label(field)), "style": LABEL, "layout": WIDE}
    if field.metadata["choices"]:
        options = [(_(text), choice) for text, choice in field.metadata["choices"].items()]
        if value not in field.metadata["choices"].values():
            options.append((str(value), value))  # as it was written by hand
        return Dropdown(options=options, value=value, **shape), lambda chosen: chosen
    if isinstance(value, bool):
        return Checkbox(value=value, indent=True, **shape), bool
    if isinstance(value, int):
        return IntText(value=value, continuous_update=True, **shape), int
    if isinstance(value, list):
        text = "\n".join(str(one) for one in value)
        return Textarea(value=text, rows=2, **shape), lambda lines: lines.split()
    if field.metadata["server"] or field.metadata["offer"]:
        known = hosts if field.metadata["server"] else []
        return Combobox(value=value, options=known, ensure_option=False, **shape), str.strip
    return Text(value=str(value), **shape), str.strip
