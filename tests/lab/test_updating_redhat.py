"""A whole update of a server of RedHat's family, whose packages are rpms and whose tool is yum."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from bmnb.errors import Stopped
from bmnb.lab import Lab
from bmnb.procedures import updating_bluemind as procedure
from bmnb.rollback import roll_back
from tests.lab.migration import finish
from tests.lab.platform import ANSWERS, MAILBOX, NEW, OLD, client_file, opened, refusal, through

pytestmark = pytest.mark.lab

BOOT = Lab.up_for_update
OPTIONS = {"family": "redhat"}
YUM = {"package_tool": "yum"}
REPOSITORY = "/etc/yum.repos.d/bm.repo"

FAULTS = {
    "expired subscription": (
        f"sed -i 's/^# ends: .*/# ends: 1700000000000/' {REPOSITORY}",
        f"sed -i 's/^# ends: .*/# ends: 1893456000000/' {REPOSITORY}",
        "the subscription has expired",
    ),
    "repository out of reach": (
        f"ip route add unreachable $(grep -oE '198[0-9.]+' {REPOSITORY})",
        f"ip route del unreachable $(grep -oE '198[0-9.]+' {REPOSITORY})",
        "Failed to download metadata for repo",
    ),
    "upgrade of the system": (
        "mkdir -p /etc/dnf/vars && echo 10 > /etc/dnf/vars/releasever",
        "rm /etc/dnf/vars/releasever",
        "releasever is 10, 9 runs",
    ),
    "held package": (
        "mkdir -p /etc/dnf/plugins && echo 'bm-core-0:4.9.3884-1.*' > /etc/dnf/plugins/versionlock.list",
        "rm /etc/dnf/plugins/versionlock.list",
        "bm-core-0:4.9.3884-1.* on core",
    ),
}
"""What breaks it, what mends it, and what the message must say of it."""


@pytest.fixture(scope="module")
def refused(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the run stops with when all is broken at once."""
    core = lab.server("core")
    with ExitStack() as mending:
        for breaks, mends, _ in FAULTS.values():
            core.must(breaks)
            mending.callback(core.must, mends)
        stopped = refusal(lab, tmp_path_factory.mktemp("runs"), **YUM)
    assert isinstance(stopped, Stopped)
    return str(stopped)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_inhibitor_stops_the_update(refused: str, fault: str):
    assert FAULTS[fault][2] in refused


def test_the_other_family_s_tool_is_refused(lab: Lab, tmp_path: Path):
    assert "is not one that apt-get is for" in str(refusal(lab, tmp_path / "runs", package_tool="apt-get"))


def test_until_the_wizard_begins_the_former_packages_are_put_back(lab: Lab, tmp_path: Path):
    core, runs = lab.server("core"), tmp_path / "runs"
    through(lab, runs, "upgrade", **YUM)
    assert NEW in core.must("rpm -q bm-core")
    run = opened(lab, runs, **YUM)
    try:
        roll_back(run)
    finally:
        run.close()
    assert {f"{OLD}-1"} == set(
        core.must("rpm -q --qf '%{VERSION}-%{RELEASE}\\n' bm-core bm-node bm-full").split()
    )
    assert f"/redhat/{OLD}\n" in core.must(f"cat {REPOSITORY}")


def test_a_whole_update_with_yum_and_the_api(lab: Lab, tmp_path: Path):
    core, runs = lab.server("core"), tmp_path / "runs"
    assert OLD in core.must("rpm -q bm-core")
    answers = {**ANSWERS, "mail-out": "the lab's maker, who saw nothing go out"}
    code, said = finish(
        client_file(lab, runs, **YUM, setup_wizard="api", answers=answers), procedure.PROCEDURE
    )
    assert code == 0, said
    said = [path.read_text() for path in runs.glob("*/logs/setup-wizard-*.log")]
    assert any("Core upgrade complete" in text for text in said), "the log of the API's task is kept"
    assert {f"{NEW}-1"} == set(
        core.must("rpm -q --qf '%{VERSION}-%{RELEASE}\\n' bm-core bm-node bm-full").split()
    )
    assert core.must("cat /etc/bm/default/bm-core.ini") == "MEM=2000\n"
    assert core.must("cat /etc/bm/default/bm-core.ini.rpmnew") == "MEM=1500\n"
    assert "own virtual host" in core.must("curl -s http://127.0.0.1:8081/")
    assert f"/redhat/{NEW}\n" in core.must(f"cat {REPOSITORY}")
    assert MAILBOX in core.must("cat /var/spool/bm-lmtpd/received")
