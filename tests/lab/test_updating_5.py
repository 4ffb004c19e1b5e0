"""A whole update of BlueMind 5 on three servers, with apt-get and without the API."""

from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.procedures import updating_bluemind as procedure
from tests.lab.migration import finish
from tests.lab.platform import MAILBOX, OUTSIDE, client_file

pytestmark = pytest.mark.lab

BOOT = Lab.up_for_update
OPTIONS = {"bluemind": "5.1"}
OLD, NEW = "5.1.8120", "5.1.8203"


def test_a_whole_update_with_apt_get_and_bm_cli(lab: Lab, tmp_path: Path):
    names = ("core", "mailbox", "edge")
    version = "dpkg-query -W -f '${Version}' bm-node"
    assert {lab.server(name).must(version) for name in names} == {OLD}
    client = client_file(lab, tmp_path, package_tool="apt-get", prepare_by="bm-cli", test_outside=OUTSIDE)
    code, said = finish(client, procedure.PROCEDURE)
    assert code == 0, said
    assert {lab.server(name).must(version) for name in names} == {NEW}
    assert MAILBOX in lab.server("core").must("cat /var/spool/bm-lmtpd/received"), "core takes mail itself"
    assert lab.server("core").must("bm-cli setup check-subscription").startswith("OK;")
