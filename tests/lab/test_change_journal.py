"""The journal of changes is a hint: what it has not seen is found by the comparison, and copied in the same run."""

from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from tests.lab.migration import client_file, done, finish

pytestmark = pytest.mark.lab

SETTINGS = {"engine": "fast", "restart_target": False}
UNSEEN = "/var/spool/bm-docs/folder/written where no journal sees it"


def test_what_the_journal_has_not_seen_is_copied_before_the_switch(lab: Lab, tmp_path: Path):
    lab.origin.must(f"mkdir /var/spool/bm-docs/folder; echo one > '{UNSEEN}'; sleep 6")
    code, said = finish(client_file(lab, tmp_path, **SETTINGS, through="hot-synchronization"))
    assert code == 0, said
    kept = done(tmp_path, "keep a journal of changes", "hot-synchronization")
    assert kept[-1]["row"] == {"journal of changes": "begun"}

    # below the origin's file system, which tells nobody
    (lab.origin.upper / UNSEEN[1:]).write_text("two\n")
    code, said = finish(client_file(lab, tmp_path, **SETTINGS))
    assert code == 0, said

    cold = done(tmp_path, "what changed in the trees", "cold-synchronization")[-1]["row"]
    assert cold["folders looked at"] > 0
    first, again = (
        done(tmp_path, title, "verify-copy")[-1]["row"]
        for title in ("compare the trees", "compare the trees again")
    )
    assert (first["differences"] > 0, again["differences"]) == (True, 0)
    assert unexpected(lab) == []
    assert lab.origin.must("systemctl list-units --plain --no-legend 'bmnb-changes-*'") == ""
