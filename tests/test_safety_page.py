"""What docs/safety.md says is shown by tests, sentence by sentence; its figures, and its order, are the code's."""

import re
from pathlib import Path

import pytest

from bmnb import perform
from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.procedures.changing_distributions.swapped import FEW_MAILBOXES, FEW_MESSAGES
from bmnb.steps import Check, Command, singles
from bmnb.transfer.access import write_ssh_config
from bmnb.transfer.programs.choosing import LARGE
from bmnb.transfer.programs.pages import SETTLED_SECONDS
from bmnb.transfer.programs.sums import SAMPLE
from bmnb.verification import files
from bmnb.verification.comparing.ahead import REST_SECONDS
from tests import safety

PAGE = Path(__file__).parent.parent / "docs" / "safety.md"
TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())
FIGURES = [
    (perform.ATTEMPTS, 3, "is started up to three times in all, each on record"),
    ((FEW_MAILBOXES, FEW_MESSAGES), (10, 100), "at most 10 mailboxes and 100 messages"),
    (REST_SECONDS, 5, "that has not changed for five seconds"),
    (SETTLED_SECONDS, 10, "a transaction that was open for more than 10 s"),
    (SAMPLE, 0.01, "and one in a hundred of the others"),
    (LARGE, 64 << 20, "with the fast one from 64 MiB on"),
]


@pytest.mark.parametrize(("now", "figure", "sentence"), FIGURES, ids=[row[2] for row in FIGURES])
def test_a_figure_is_the_code_s(now: object, figure: object, sentence: str):
    assert sentence in TEXT
    assert now == figure


def test_a_connection_between_the_servers_is_given_up_after_two_minutes():
    assert "After two minutes without a sign of life a connection is given up." in TEXT
    told = dict(
        line.split()
        for line in write_ssh_config("/folder", "origin", "192.0.2.1").splitlines()
        if "ServerAlive" in line
    )
    assert int(told["ServerAliveInterval"]) * int(told["ServerAliveCountMax"]) == 120


def test_contents_are_compared_at_the_lowest_priority_on_the_origin():
    assert "compares, at the lowest priority on the origin," in TEXT
    assert "nice -n 19 ionice -c 3 " in files.compare_ahead("/folder", "origin", 100, ["/tree"])


def test_the_origin_serves_again_before_the_target_gets_its_own_data_back():
    assert "only then the target gets its own databases and configuration back" in TEXT
    settings = Settings(origin="origin", target="target", address="192.0.2.1")
    titles = [
        action.title
        for step in reversed(PROCEDURE.steps)
        if step.undo
        for action in singles(step.undo(settings))
        if isinstance(action, Command)
    ]
    serves = titles.index("start BlueMind")
    assert serves < titles.index("put its own configuration back")
    assert serves < titles.index("put its own databases back")


def sentences() -> list[str]:
    """The page's sentences without its headings, tables and commands."""
    page = re.sub(r"```.*?```", "", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    paragraphs = [
        " ".join(line for line in part.splitlines() if not line.startswith(("#", "|")))
        for part in page.split("\n\n")
    ]
    return [one for part in paragraphs for one in re.split(r"(?<=[.:])\s+(?=[A-Z`])", part.strip()) if one]


def test_each_sentence_is_shown_by_tests_or_promises_nothing():
    told = {one: [key for key in safety.SENTENCES if one.startswith(key)] for one in sentences()}
    assert [one for one, keys in told.items() if len(keys) != 1] == []
    assert {key for keys in told.values() for key in keys} == safety.SENTENCES.keys(), "no other is said"


def test_each_table_is_shown_by_tests():
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^\| (.+?) \|.*\n\| ---", page, flags=re.MULTILINE) == list(safety.TABLES)


def test_each_test_that_is_named_is_there():
    named = {one for tests in (*safety.SENTENCES.values(), *safety.TABLES.values()) for one in tests}
    for file, name in (one.split() for one in sorted(named)):
        text = (PAGE.parent.parent / "tests" / f"{file}.py").read_text(encoding="utf-8")
        assert re.search(rf"^def test_{name}\(", text, flags=re.MULTILINE), f"{file}: {name}"


def checks(name: str, engine: str) -> list[Check]:
    [step] = [one for one in PROCEDURE.steps if one.name == name]
    settings = Settings(origin="origin", target="target", address="192.0.2.1", engine=engine)
    return [one for one in singles(step.actions(settings)) if isinstance(one, Check)]


OF_LITERAL = ("dump-databases", "copy-configuration", "import-databases")
"""With the fast engine nothing is copied or compared there."""


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        *((name, "literal") for name in OF_LITERAL),
        *(
            (name, engine)
            for name in ("cold-synchronization", "verify-copy", "stop-origin")
            for engine in ("fast", "literal")
        ),
    ],
)
def test_each_step_that_relies_on_a_proof_looks_first_and_says_where_it_goes_back_to(name: str, engine: str):
    looks = [one.title for one in checks(name, engine) if one.reopens == "stop-services"]
    assert "services of origin stay stopped" in looks
    assert ("services of target stay stopped" in looks) == (name not in OF_LITERAL)
    assert ("nothing has changed on the origin since the verification" in looks) == (name == "stop-origin")
    queue = [one.title for one in checks(name, engine) if one.reopens == "verify-copy"]
    assert queue == (["mail that waits in Postfix's queue is on the target"] if name == "stop-origin" else [])


def test_weaknesses_of_packages_are_asked_for_at_each_change_and_weekly():
    root = PAGE.parent.parent
    workflow = (root / ".github" / "workflows" / "test.yml").read_text()
    assert all(word in workflow for word in ("make audit", "push", "schedule"))
    assert "pip-audit" in (root / "Makefile").read_text()
    assert '"S"' in (root / "pyproject.toml").read_text(), "ruff's security rules"


@pytest.mark.parametrize("page", ["docs/safety.md", "SECURITY.md"])
def test_each_file_that_is_named_is_there(page: str):
    path = PAGE.parent.parent / page
    named = re.findall(r"\]\((?!http)([^)#]+)", path.read_text(encoding="utf-8"))
    assert named
    assert [one for one in named if not (path.parent / one).exists()] == []
