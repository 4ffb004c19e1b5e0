"""What may stand in a journal is listed, and the page of the reference is made from the list."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "docs"))

import reference

from bmnb.events import ALWAYS, EVENTS
from bmnb.journal import Journal


def test_every_event_that_is_written_is_listed_and_no_other():
    assert set(reference.facts()) == set(EVENTS)


def test_the_facts_of_an_event_are_those_that_the_code_gives():
    facts = reference.facts()
    assert {"server", "machine", "host_key"} <= set(facts["pinned"])
    assert {"action", "seconds", "exit", "items", "made"} <= set(facts["failed"])


def test_the_facts_of_every_line_are_listed(tmp_path: Path):
    assert list(Journal(tmp_path / "journal.jsonl").write("note")) == list(ALWAYS)
