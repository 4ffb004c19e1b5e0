"""The plan of the major update has its page's command and those of an update, less the deviations in the notebook."""

import re
from pathlib import Path

import nbformat
import pytest

from bmnb.bluemind import eligibility
from bmnb.procedures import updating_bluemind
from bmnb.procedures.major_update import PROCEDURE, Settings
from bmnb.steps import Command, Manual, singles
from tests.test_golden_updating import WORDS, written

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "major-update.ipynb"

DOCUMENT = """
aptitude update
bm-cli setup check-upgrade-5 --sampling-percentage=100
aptitude update
aptitude --download-only upgrade
bm-cli setup check-upgrade-5 --sampling-percentage=100
aptitude upgrade
bm-cli setup upgrade
""".strip().splitlines()
"""The page's own command where it has one, and around it what Updating BlueMind has for packages and wizard."""

# a pattern of the document, our form of it, and the words by which the notebook declares it
DEVIATIONS = [
    (r"^aptitude --download-only upgrade", "aptitude -y --download-only full-upgrade", "`full-upgrade`"),
    (r"^aptitude upgrade", "aptitude -y KEEP full-upgrade", "with its deviations"),
    (r"^(bm-cli setup check-upgrade-5 .*)", r"\1 2>&1", "in a unit of its own, kept as a file"),
]
REPEATED = "once more before the maintenance"


def lines() -> list[str]:
    found = [
        written(action.line, WORDS)
        for step in PROCEDURE.steps
        for action in singles(step.actions(Settings()))
        if isinstance(action, Command) and action.host == Settings().core
    ]
    return [line for whole in found for line in whole.splitlines()]


def test_every_line_of_the_document_is_in_the_plan_in_its_order():
    ours, place = lines(), 0
    for wanted in DOCUMENT:
        form = written(wanted, DEVIATIONS)
        later = [number for number, line in enumerate(ours[place:], place) if line.startswith(form)]
        assert later, form
        place = later[0] + 1


def test_every_deviation_is_declared_and_used():
    text = "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "markdown")
    assert [words for words in (*(rule[2] for rule in DEVIATIONS), REPEATED) if words not in text] == []
    assert [rule for rule in DEVIATIONS if not any(re.search(rule[0], line) for line in DOCUMENT)] == []
    for one in PROCEDURE.deviations:
        assert f"| {one.document} | {one.here} | {one.reason} |" in text


def test_each_command_that_changes_anything_is_of_an_update_or_declared():
    """What this procedure has beyond an update is the test, its repairs, Tika's memory, and the lists of packages of 4."""
    shared = {
        action.title
        for step in updating_bluemind.PROCEDURE.steps
        for action in singles(step.actions(updating_bluemind.Settings()))
    }
    own = {
        action.title
        for step in PROCEDURE.steps
        for action in singles(step.actions(Settings()))
        if isinstance(action, Command) and action.title not in shared
    }
    assert own == {
        "test whether the platform may be updated to 5",
        *(one.title for one in eligibility.REPAIRS),
        "give Tika its memory in /etc/bm/local/bm-tika.ini",
        "repository of the new subscription",
    }


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("latest-release", "test-eligibility"),
        ("test-eligibility", "new-subscription"),
        ("save-configuration", "new-subscription"),
        ("test-again", "begin-maintenance"),
        ("postgresql", "setup-wizard"),
    ],
)
def test_the_order_of_work_holds(earlier: str, later: str):
    names = [step.name for step in PROCEDURE.steps]
    assert names.index(earlier) < names.index(later)


def test_nothing_of_a_package_is_touched_before_these_are_answered():
    before = PROCEDURE.steps[: [step.name for step in PROCEDURE.steps].index("upgrade")]
    asked = [
        action.key
        for step in before
        for action in singles(step.actions(Settings()))
        if isinstance(action, Manual)
    ]
    assert asked == [
        *("backup", "not-migrated", "shared-mailboxes", "cas", "eligible", "subscription-5"),
        *("points-of-caution", "start-update"),
    ]
