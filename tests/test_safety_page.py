"""What docs/safety.md tells in figures, and in which order things are done, is what the code does."""

from pathlib import Path

import pytest

from bmnb import perform
from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.procedures.changing_distributions.swapped import FEW_MAILBOXES, FEW_MESSAGES
from bmnb.steps import Command, singles
from bmnb.transfer.access import write_ssh_config
from bmnb.transfer.programs.choosing import LARGE
from bmnb.transfer.programs.pages import SETTLED_SECONDS
from bmnb.transfer.programs.sums import SAMPLE
from bmnb.verification import files
from bmnb.verification.comparing.ahead import REST_SECONDS

TEXT = " ".join((Path(__file__).parent.parent / "docs" / "safety.md").read_text(encoding="utf-8").split())
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
