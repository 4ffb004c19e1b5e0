"""Everything that a person reads in a run has its French text."""

from pathlib import Path

import nbformat
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from bmnb import procedures
from bmnb.language import CATALOGUES, use
from bmnb.phrases import phrase
from bmnb.prose import texts, translate
from bmnb.settings import make
from bmnb.start import template
from bmnb.steps import Procedure, singles
from bmnb.tables import table

PACKAGE = Path(__file__).parent.parent / "bmnb"
GUIDED = ("attend", "forecast", "forms/", "index", "live", "lock", "plan", "progress", "run", "start")
"""Whose texts these catalogues hold; the report has its own."""
SERVERS = {"origin": "OLD", "target": "NEW", "address": "192.0.2.77"}


def messages() -> set[str]:
    found: set[str] = set()
    for path in (CATALOGUES / "fr").glob("*.po"):
        with path.open("rb") as file:
            found |= {str(one.id) for one in read_po(file) if one.string}
    return found


def translated() -> list[Procedure]:
    """The procedures that have a catalogue."""
    return [one for one in procedures.ALL if (CATALOGUES / "fr" / f"{one.name}.po").exists()]


@pytest.mark.parametrize("procedure", translated(), ids=lambda one: one.name)
def test_the_prose_of_a_notebook_is_translated(procedure: Procedure):
    book = nbformat.read(template(procedure), 4)
    assert [text for text in texts(book) if text not in messages()] == []
    with use("fr"):
        translate(book)
    assert "Synchronisation à chaud" in "".join(texts(book))


@pytest.mark.parametrize("procedure", translated(), ids=lambda one: one.name)
def test_every_title_remedy_and_reason_of_a_procedure_is_translated(procedure: Procedure):
    known = messages()
    settings = make(procedure.settings, SERVERS)
    said = [step.title for step in procedure.steps] + [phase.title for phase in procedure.phases]
    for action in [one for step in procedure.steps for one in singles(step.actions(settings))]:
        said += [action.title, getattr(action, "remedy", ""), action.when.otherwise if action.when else ""]
    with use("fr"):
        missing = {
            text for text in said if text and text[0] != "/" and text not in known and phrase(text) == text
        }
    assert missing == set()


@pytest.mark.parametrize("procedure", translated(), ids=lambda one: one.name)
def test_every_parameter_is_translated(procedure: Procedure):
    known = messages()
    for field in procedure.settings.__dataclass_fields__.values():
        about = field.metadata
        words = [about["help"], about["label"], about["unit"], *(about["choices"] or {})]
        assert [word for word in words if word and word not in known] == []


def test_every_text_of_forms_and_progress_is_translated():
    said = {
        message
        for file, _, message, _, _ in extract_from_dir(PACKAGE, [("**.py", "python")], keywords={"_": None})
        if file.startswith(GUIDED) and message not in ("help", "unit", "label")
    }
    assert said - messages() == set()
    assert len(said) > 20


def test_a_table_speaks_the_language_in_use():
    rows = [{"server": "NEW", "action": "services of NEW are stopped", "status": "done", "seconds": 1}]
    with use("fr"):
        shown = table(rows)
    assert list(shown.columns) == ["serveur", "action", "état", "secondes"]
    assert list(shown.iloc[0]) == ["NEW", "les services de NEW sont arrêtés", "fait", 1]
    assert list(table(rows).iloc[0])[1] == "services of NEW are stopped"


def test_a_sentence_keeps_its_names_in_place():
    with use("fr"):
        assert phrase(
            "a loses its address 192.0.2.1 to b and is reachable from its console only; " + COST
        ) == (
            "a cède son adresse 192.0.2.1 à b et n’est plus accessible que par sa console ; "
            "le retour coûte les messages que la cible aura acceptés d’ici là"
        )


COST = "the way back costs the mail that the target will have accepted by then"
