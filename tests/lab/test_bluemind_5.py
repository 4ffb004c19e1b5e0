"""BlueMind 5 has no Cyrus, no sieve and no HPS: what it does not have is absent, not an error."""

from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from bmnb.procedures import changing_distributions as procedure
from tests.lab.migration import client_file, finish, journal, opened

pytestmark = pytest.mark.lab
OPTIONS = {"bluemind": "5.1"}


def test_bluemind_5_migrates_without_what_it_no_longer_has(lab: Lab, tmp_path: Path):
    code, said = finish(client_file(lab, tmp_path))
    assert code == 0, said
    assert unexpected(lab) == []
    run = opened(lab, tmp_path)
    copied = run.table(procedure.cold_synchronization).set_index("action")
    assert copied.loc["/var/spool/sieve", "status"] == "skipped"
    assert copied.loc["/var/spool/sieve", "seen"] == "absent or empty on the origin"
    assert copied.loc["/var/spool/bm-docs", "files"] > 0
    told = {line["title"]: line["seen"] for line in journal(tmp_path) if line["event"] == "done"}
    assert told["version of software and database"] == "software 5.1.8120, database 5.1.8120"
