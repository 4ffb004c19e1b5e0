"""Where the controller's clock was put back in the middle of a run, nothing is told to have taken less than nothing."""

import re
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from bmnb import report
from bmnb.cli import main
from bmnb.journal import Journal
from tests.report import synthetic

LESS = re.compile(r"(?<![\w.-])-\d[\d,]*(\.\d+)? (s|min|h|d)\b")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_no_time_is_below_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float):
    lines = len(Journal(synthetic.run(tmp_path / "other", passes=1) / "journal.jsonl").lines)
    written = count()

    def now(zone: object) -> datetime:
        back = timedelta(days=2) if next(written) > share * lines else timedelta()
        return datetime.now(zone) - back  # type: ignore[arg-type]

    monkeypatch.setattr("bmnb.journal.datetime", SimpleNamespace(now=now))
    run = synthetic.run(tmp_path / "run", passes=1)
    monkeypatch.undo()
    shown = CliRunner().invoke(main, ["status", str(run)]).output
    page = re.sub(r"<[^>]*>", " ", report.write(run).read_text())
    for text in (shown, page):
        assert "Hot synchronization" in text
        assert LESS.search(text) is None
