"""Origin and target exchanged: the run asks whether they are, and stops nothing."""

from pathlib import Path

import pytest

from bmnb.bluemind import contents
from bmnb.lab import Lab
from bmnb.procedures.changing_distributions import swapped
from bmnb.steps import Result
from tests.lab.migration import client_file, finish, opened

pytestmark = pytest.mark.lab


def test_exchanged_servers_are_noticed_before_anything_is_stopped(lab: Lab, tmp_path: Path):
    exchanged = {"origin": "target", "target": "origin", "address": lab.target.address}
    status, said = finish(client_file(lab, tmp_path / "runs", **exchanged))
    assert status == 3, said
    assert "are origin and target swapped?" in said
    report = next((tmp_path / "runs").glob("*/report.html")).read_text()
    assert "up since" in report, "both are shown side by side"
    assert "accept-target-data" not in said, "that is not for anybody to accept"
    for server in (lab.origin, lab.target):
        assert server.must("systemctl is-active bluemind.target postfix").split() == ["active", "active"]
        assert server.must("systemctl is-enabled bluemind.target postfix").split() == ["enabled", "enabled"]


def test_what_is_on_either_server_is_told(lab: Lab, tmp_path: Path):
    run = opened(lab, tmp_path / "runs")
    line = contents.line(run.settings.databases)
    origin, target = (run.servers.run(host, line) for host in ("origin", "target"))
    verdict = swapped.judge(origin, target)
    assert verdict.holds, verdict.seen
    there = contents.read(origin)
    assert there.mailboxes >= 40
    assert there.messages == 2000
    assert there.last_delivery
    assert there.up_since
    assert list(there.sizes)[:2] == ["bj", "bj-data"]
    assert lab.origin.address in there.address
    goes = run.servers.run("target", swapped.what_goes(run.settings.databases, run.settings.trees))
    assert "0 messages, last delivery none; databases bj (" in swapped.erased(run.settings.trees, goes)
    run.close()


LOGINS = {
    "Nov  9 08:01:02 mail cyrus/imap[1]: login: [192.0.2.1] anna plain User logged in": "-11-09T08:01:02Z",
    "2026-03-04T05:06:07.123456+02:00 mail cyrus/imap[1]: login: [192.0.2.1] anna plain User logged in": "2026-03-04T03:06:07Z",
}


@pytest.mark.parametrize("logged", LOGINS)
def test_the_last_login_is_read_where_cyrus_logs_it(lab: Lab, logged: str):
    lab.target.must(f"cp -n /var/log/mail.log /root/ 2> /dev/null; echo '{logged}' > /var/log/mail.log")
    told = Result("target", "", 0, lab.target.must(contents.line(("bj", "bj-data"))))
    login = contents.read(told).last_login
    assert login
    assert f"{login:%Y-%m-%dT%H:%M:%SZ}".endswith(LOGINS[logged])
