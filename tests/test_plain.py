"""What a server or a file calls itself is shown, and not obeyed."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bmnb import seal
from bmnb.cli import main
from bmnb.journal import Journal
from bmnb.plain import plain
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
