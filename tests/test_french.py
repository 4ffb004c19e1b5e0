"""Everything that a person reads in a run has its French text."""

import dataclasses
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from babel.messages.pofile import read_po

from bmnb import phrases, procedures, redact
from bmnb.forms.parameters import label
from bmnb.language import CATALOGUES, use
from bmnb.phrases import phrase
from bmnb.procedures import changing_distributions
from bmnb.prose import texts, translate
from bmnb.run import Run
from bmnb.settings import make
from bmnb.start import NOTEBOOKS
from bmnb.steps import Procedure, Single, singles
from bmnb.tables import table
from tests import sources

NAMES = {"{}.ipynb", "bj, bj-data", "bmnb rollback RUN", "cpu_seconds", "peak_mib", '<a href="{}">{}</a>'}
"""Of files, databases, commands, measures and markup."""

SERVERS = {"origin": "OLD", "target": "NEW", "address": "192.0.2.77"}


def translations() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in (CATALOGUES / "fr").glob("*.po"):
        with path.open("rb") as file:
            found |= {str(one.id): str(one.string) for one in read_po(file) if one.string}
    return found


def messages() -> set[str]:
    return set(translations())


def test_nothing_that_is_said_looks_like_a_secret():
    """It would be masked in journal, notebook and report."""
    said = [text for pair in translations().items() for text in pair]
    assert [text for text in said if redact.text(text) != text] == []


@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_prose_of_a_notebook_is_translated(notebook: Path):
    book = nbformat.read(notebook, 4)
    assert [text for text in texts(book) if text not in messages()] == []
    with use("fr"):
        translate(book)
    assert "##" in "".join(texts(book))


def every_action(procedure: Procedure, servers: dict[str, str]) -> list[Single]:
    """Those of each way of switching servers, and of its way back, where the procedure has several."""
    several = procedure is changing_distributions.PROCEDURE
    made = [make(procedure.settings, {**servers, **way}) for way in (WAYS if several else [{}])]
    steps = [*procedure.steps, *(replace(one, actions=one.undo) for one in procedure.steps if one.undo)]
    return [one for settings in made for step in steps for one in singles(step.actions(settings))]


WAYS = [
    {**way, "keep_reachable": kept}
    for way in (
        {"watch_minutes": 60},
        {"switch": "by-hand"},
        {"switch": "new-address", "new_address": "203.0.113.7"},
    )
    for kept in (True, False)
]


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda one: one.name)
def test_every_title_remedy_and_reason_of_a_procedure_is_translated(procedure: Procedure):
    known = messages()
    asked = {field.name for field in dataclasses.fields(procedure.settings)}
    servers = {key: one for key, one in SERVERS.items() if key in asked}
    said = [step.title for step in procedure.steps] + [phase.title for phase in procedure.phases]
    for action in every_action(procedure, servers):
        said += [action.title, getattr(action, "remedy", ""), action.when.otherwise if action.when else ""]
    with use("fr"):
        missing = {
            text for text in said if text and text[0] != "/" and text not in known and phrase(text) == text
        }
    assert missing == set()


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda one: one.name)
def test_every_parameter_is_translated(procedure: Procedure):
    known = messages()
    for field in dataclasses.fields(procedure.settings):
        about = field.metadata
        words = [about["help"], about["unit"], about["group"], *(about["choices"] or {})]
        words += about["means"].values()
        words += [label(field)] if about["form"] else []
        assert [word for word in words if word and word not in known] == []


@pytest.mark.parametrize("source", [sources.messages, sources.cells])
def test_every_message_and_every_cell_of_a_table_is_translated(source):
    with use("fr"):
        missing = {text for text in source() if is_language(text) and not is_said(text)}
    assert missing - messages() - NAMES == set()


def test_no_message_stands_twice():
    """Of two translations one would win, and nobody knows which."""
    found = Counter(
        one.id
        for path in (CATALOGUES / "fr").glob("*.po")
        for one in read_po(path.open("rb"), abort_invalid=True)
    )
    assert [text for text, times in found.items() if text and times > 1] == []


def is_language(text: str) -> bool:
    """Whether there are words in it; those of one or two letters are units."""
    return re.search("[A-Za-z]{3}", text.replace("{}", "")) is not None


def is_said(text: str) -> bool:
    filled = text.replace("{}", "x9")
    return phrase(filled) != filled


def test_a_table_speaks_the_language_in_use():
    rows = [{"server": "NEW", "action": "services of NEW are stopped", "status": "done", "seconds": 1}]
    with use("fr"):
        shown = table(rows)
    assert list(shown.columns) == ["serveur", "action", "état", "secondes"]
    assert list(shown.iloc[0]) == ["NEW", "les services de NEW sont arrêtés", "fait", 1]
    assert list(table(rows).iloc[0])[1] == "services of NEW are stopped"


def test_names_stay_as_they_are():
    with use("fr"):
        assert list(table([{"parameter": "origin", "meaning": "origin"}], names=["parameter"]).iloc[0]) == [
            "origin",
            "origine",
        ]


def test_a_server_keeps_its_name_where_that_is_a_word():
    rows = [{"server": "target", "action": "services of target are stopped"}]
    with use("fr"):
        assert list(table(rows).iloc[0]) == ["target", "les services de target sont arrêtés"]
        assert phrase("BlueMind on target stops, and its data is replaced by that of origin") == (
            "BlueMind s’arrête sur target, et ses données sont remplacées par celles de origin"
        )
        assert "`give-up-target: target`" in phrase("not answered; answer `give-up-target: target` to go on")


def test_a_server_that_is_named_as_some_word_keeps_its_name_once_its_run_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    procedure = changing_distributions.PROCEDURE
    monkeypatch.setattr(phrases, "_names", {"origin"})
    Run(procedure, procedure.settings(origin="done", target="backup", folder=str(tmp_path)))
    with use("fr"):
        assert phrase("services of done are stopped") == "les services de done sont arrêtés"


def test_a_sentence_keeps_its_names_in_place():
    with use("fr"):
        assert phrase("a loses its address 192.0.2.1 to b; from then on " + COST) == (
            "a cède son adresse 192.0.2.1 à b ; dès lors, "
            "le retour arrière coûte les messages que la cible aura acceptés"
        )


COST = "the way back costs the mail that the target will have accepted"


ASKED = re.compile(r"\b(?!chez\b|assez\b)[a-zéèêâîç]+ez\b|\b(?:faites|dites)\b")
"""How French asks a person for something; the title of a command is its infinitive."""
INFINITIVE = re.compile(r"^(?:→ )?(?:ne pas )?[a-zéèêâîç]+(?:er|ir|oir|dre|tre|ire)\b")


@pytest.mark.parametrize("procedure", procedures.ALL, ids=lambda one: one.name)
def test_a_remedy_asks_a_person_and_none_is_in_the_infinitive(procedure: Procedure):
    asked = {field.name for field in dataclasses.fields(procedure.settings)}
    servers = {key: one for key, one in SERVERS.items() if key in asked}
    remedies = {getattr(action, "remedy", "") for action in every_action(procedure, servers)}
    with use("fr"):
        said = {remedy: phrase(remedy) for remedy in remedies if remedy}
    assert [text for text in said.values() if INFINITIVE.match(text) and not ASKED.search(text)] == []
