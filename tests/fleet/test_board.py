"""The board reads the fleet's state and the runs' journals; table, chart, page and JSON say the same."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from IPython.display import HTML

from bmnb.cli import main
from bmnb.fleet import board, page
from bmnb.fleet.board import Board
from bmnb.journal import Journal
from bmnb.language import use
from bmnb.procedures.changing_distributions import PROCEDURE
from tests.fleet.conductor import Played, entry


def journal(folder: Path, phases: int) -> None:
    """A run whose first phases are done, and the next one begun."""
    written = Journal(folder / "journal.jsonl")
    settings = {"client": "a & b", "language": "en", "hot_passes": 1}
    written.write("opened", procedure=PROCEDURE.name, version="0", settings=settings)
    wanted = [phase.name for phase in PROCEDURE.phases][: phases + 1]
    for step in [one for one in PROCEDURE.steps if one.phase.name in wanted]:
        label = f"{step.name}.1" if step.passes else step.name
        facts = {"action": f"{label}/1", "server": "s", "title": "t", "kind": "command", "line": "true"}
        written.write("step started", step=label, title=step.title, phase=step.phase.name)
        written.write("started", **facts, unit="u")
        if step.phase.name == wanted[-1]:
            written.write("failed", **facts, seconds=1, exit=1, seen="broken")
            return
        written.write("done", **facts, seconds=1, exit=0)
        written.write("step done", step=label)


@pytest.fixture
def played(tmp_path: Path) -> Played:
    """One client waits in its cold synchronization, one has missed its window."""
    window = {"not_before": "2026-01-31 22:00", "not_after": "2026-02-01 04:00"}
    found = Played(tmp_path, entry("a & b", "0 3"), entry("late", **window))
    found.run()
    journal(Path(found.client("a-b").folder), 2)
    return found


def test_a_row_says_where_a_client_stands(played: Played):
    here, late = Board(played.store.runs).rows()
    assert (here["client"], here["state"], here["phase"]) == ("a-b", "waiting", "Cold synchronization")
    done = sum(step.phase.name in ("prerequisites", "hot-synchronization") for step in PROCEDURE.steps)
    assert here["steps"] == f"{done}/{len(PROCEDURE.steps)}"
    assert "The run stands at" in here["verdict"]
    assert (late["state"], late["window"]) == ("missed", "2026-01-31 22:00 – 2026-02-01 04:00")


def test_status_says_the_same_to_a_program(played: Played):
    shown = CliRunner().invoke(main, ["fleet", "status", "--runs", str(played.store.runs), "--json"])
    assert [row["state"] for row in json.loads(shown.output)] == ["waiting", "missed"]
    assert "waiting" in CliRunner().invoke(main, ["fleet", "status", "--runs", str(played.store.runs)]).output


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("waiting", "why")), ("fr", ("en attente", "pourquoi"))]
)
def test_the_summary_report_needs_no_network_and_speaks_both_languages(
    played: Played, language: str, words: tuple[str, ...]
):
    text = page.write(Board(played.store.runs), language).read_text()
    assert f'<html lang="{language}">' in text
    assert all(word in text for word in words)
    assert "http" not in text.replace("http-equiv", "")
    assert "users cut off" not in text, "the chart is in the page as an image"


def test_names_from_outside_are_escaped(tmp_path: Path):
    played = Played(tmp_path, entry("x", "0 3"))
    played.run()
    played.store.change("x", why="<script>alert(1)</script>")
    assert "<script>" not in page.render(Board(played.store.runs))
    assert "<script>" not in Board(played.store.runs).clients().to_html()


def test_the_chart_has_a_lane_a_client(played: Played):
    board = Board(played.store.runs)
    assert [(one.name, len(one.spans) > 0, one.window) for one in board.lanes()] == [
        ("a-b", True, False),
        ("late", False, True),
    ]
    with use("fr"):
        assert "créneau" in board.chart().data


class Screen:
    """Stands in for a cell's output."""

    def __init__(self, shown: HTML, **_options: str) -> None:
        self.seen = [shown.data]

    def update(self, shown: HTML) -> None:
        self.seen.append(shown.data)


def test_the_live_view_follows_until_nothing_is_left_to_wait_for(
    played: Played, monkeypatch: pytest.MonkeyPatch
):
    played.store.change("a-b", state="started")
    screens: list[Screen] = []
    monkeypatch.setattr(
        board, "display", lambda *shown, **more: screens.append(Screen(*shown, **more)) or screens[0]
    )
    monkeypatch.setattr(board.time, "sleep", lambda _: played.store.change("a-b", state="done"))
    Board(played.store.runs).watch(minutes=60)
    (screen,) = screens
    assert ["started" in shown for shown in screen.seen] == [True, False]
    watched = CliRunner().invoke(main, ["fleet", "status", "--runs", str(played.store.runs), "--watch"])
    assert "done" in watched.output


def test_no_fleet_is_an_empty_board(tmp_path: Path):
    board = Board(tmp_path)
    assert (board.rows(), board.chart(), len(board.counts())) == ([], None, 0)
    assert CliRunner().invoke(main, ["fleet", "status", "--runs", str(tmp_path)]).exit_code == 2
