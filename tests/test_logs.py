"""What commands have printed, in files that say what they are for."""

from pathlib import Path

import pytest

from bmnb.errors import BmnbError
from bmnb.logs import Logs


def test_an_action_s_log_grows(tmp_path: Path):
    logs = Logs(tmp_path / "logs")
    logs.append("setup/1", "one\n")
    logs.append("setup/1", "two\n")
    assert (tmp_path / "logs" / "setup-1.log").read_text() == "one\ntwo\n"


def test_a_full_disk_stops_the_run_as_it_does_where_the_journal_meets_it_first(tmp_path: Path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "setup-1.log").symlink_to("/dev/full")
    with pytest.raises(BmnbError, match=r"nothing more is done: .*No space left"):
        Logs(tmp_path / "logs").append("setup/1", "one\n")
