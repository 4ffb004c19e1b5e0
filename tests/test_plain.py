"""What a server or a file calls itself is shown, and not obeyed."""

from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bmnb import report, seal
from bmnb.cli import main
from bmnb.errors import ActionFailed
from bmnb.forms.view import marked
from bmnb.journal import Journal
from bmnb.live import Live
from bmnb.plain import plain
from bmnb.progress import Job
from bmnb.steps import Check, Verdict
from bmnb.tables import table
from tests.report import synthetic

HOSTILE = "\x1b[2J\x1b[1;1HDone.\r\u202egnihton\x07\x9b31m"


@given(st.text())
def test_no_text_reaches_a_terminal_that_it_would_obey(text: str):
    shown = plain(text)
    assert all(one in "\n\t" or one.isprintable() or one.isspace() for one in shown)
    assert "\x1b" not in shown


@pytest.mark.parametrize("text", ["Müller & Söhne", "日本語", "two\nlines", "a\tb", "100 € — “so”"])
def test_what_people_write_stays(text: str):
    assert plain(text) == text


def obeyed(text: str) -> bool:
    return any(one in text for one in "\x1b\r\u202e\x07\x9b")


def test_status_and_verify_show_hostile_names_as_codes(tmp_path: Path):
    run = synthetic.run(tmp_path / "run", passes=1, until="import-databases")
    journal = Journal(run / "journal.jsonl")
    told = {"action": "verify-copy/1", "kind": "check", "server": HOSTILE, "title": HOSTILE}
    journal.write("failed", **told, seen=HOSTILE)
    journal.write("stopped", why=HOSTILE, error="Stopped")
    shown = CliRunner().invoke(main, ["status", str(run)]).output
    assert "\\x1b[2J" in shown
    assert not obeyed(shown)
    seal.seal(run)
    (run / "tables").mkdir()
    (run / "tables" / HOSTILE).write_text("")
    verified = CliRunner().invoke(main, ["verify", str(run)])
    assert verified.exit_code == 1
    assert "\\x1b[2J" in verified.output
    assert not obeyed(verified.output)


def test_no_table_screen_or_message_of_a_notebook_shows_them_raw():
    shown = table([{"file": HOSTILE, "package": HOSTILE}], names=["package"])
    job = Job(Check(HOSTILE, "look", lambda seen: Verdict(True, ""), HOSTILE))
    job.start()
    job.hear(HOSTILE, 0.0, 1.0)
    live = Live(HOSTILE, {}, Path("logs"))
    live.jobs = {"look/1": job}
    drawn: list[str] = []
    live._show, live._keep = drawn.append, drawn.append  # type: ignore[method-assign]
    live.draw()
    error = ActionFailed(f"{HOSTILE}: exit status 1")
    texts = [shown._repr_html_(), shown.to_string(), *drawn, *error._render_traceback_(), marked(HOSTILE)]
    for text in texts:
        assert "\\x1b[2J" in text
        assert not obeyed(text)


def test_no_report_shows_them_raw(tmp_path: Path):
    """Host name, os-release, package, file, and the notebook's own outputs."""
    run = synthetic.run(tmp_path / "run", passes=1, until="import-databases")
    journal = Journal(run / "journal.jsonl")
    journal.write(
        "pinned",
        server="new",
        machine="1" * 32,
        host_key="",
        hostname=HOSTILE,
        system=HOSTILE,
        tools=[HOSTILE],
    )
    told = {"action": "verify-copy/1", "kind": "check", "server": HOSTILE, "title": HOSTILE}
    journal.write(
        "failed", **told, seen=HOSTILE, row={"package": HOSTILE}, items=[{"item": HOSTILE, "what": HOSTILE}]
    )
    journal.write("note", text=HOSTILE, file="")
    book = nbformat.v4.new_notebook()
    output = nbformat.v4.new_output("stream", text=HOSTILE)
    book.cells = [nbformat.v4.new_code_cell("run()", outputs=[output])]
    nbformat.write(book, run / "notebook.ipynb")
    page = report.write(run).read_text()
    assert "u202egnihton" in page
    assert not obeyed(page)
