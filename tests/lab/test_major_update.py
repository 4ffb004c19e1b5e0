"""From 4.9 to 5 on three servers: what refuses it, the eligibility test and its repairs, the way back, and all of it."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bmnb.lab import Lab
from bmnb.lab.server import Server
from bmnb.procedures import major_update as procedure
from bmnb.procedures import updating_bluemind
from tests.lab.migration import BMNB, finish, journal, write_client
from tests.lab.platform import MAILBOX, OUTSIDE, values

pytestmark = pytest.mark.lab

BOOT = Lab.up_for_update
OPTIONS = {"bluemind": "4.9-last"}
OLD, NEW = "4.9.4012", "5.1.8120"
LIST = "/etc/apt/sources.list.d/bm.list"
TOLD = "the operator of the lab"
ANSWERS = {
    "backup": "snapshots of the lab, seen by its maker",
    "start-update": "core",
    **dict.fromkeys(("not-migrated", "shared-mailboxes", "points-of-caution", "known-problems"), TOLD),
    "eligible": f"read by {TOLD}",
}
INELIGIBLE = "/etc/bmnb-ineligible"


@pytest.fixture(scope="module", autouse=True)
def _disks_of_their_own(lab: Lab) -> None:
    """PostgreSQL's data on file systems that nobody else fills."""
    for server in platform(lab):
        server.must(
            "bmctl stop; systemctl stop postgresql 'postgresql@*' && cp -a /var/lib/postgresql /root/ && "
            "mount -t tmpfs -o size=800m tmpfs /var/lib/postgresql && cp -aT /root/postgresql /var/lib/postgresql && "
            "rm -r /root/postgresql && systemctl start postgresql && bmctl start"
        )


@pytest.fixture(autouse=True)
def _no_run_holds_a_server(lab: Lab) -> None:
    """A run that was given up keeps its locks; the client of each is another one."""
    for server in lab.servers:
        server.must("rm -f /var/lib/bmnb/lock")


def version(server: Server) -> str:
    return server.must("dpkg-query -W -f '${Version}' bm-node")


def accepted(said: str) -> dict[str, str]:
    """What a run asks to have accepted, accepted."""
    return {
        key: f"{seen} {TOLD}, as it should be"
        for key, seen in re.findall(r"answer `([a-z-]+): ([0-9a-f]{8}) NAME, REASON`", said)
    }


def run(lab: Lab, runs: Path, answers: dict[str, str], **more: Any) -> tuple[int, str]:
    given = {**values(lab, runs, test_outside=OUTSIDE), "answers": answers, **more}
    return finish(write_client(runs, given), procedure.PROCEDURE)


def subscribe(lab: Lab, major: str) -> None:
    """What a person does in Subscription management: its file comes to every server."""
    mark = f"/^# ends/a # major: {major}"
    for name in ("core", "mailbox", "edge"):
        lab.server(name).must(f"sed -i -e '/^# major/d' -e '{mark}' {LIST}")


@pytest.fixture
def full_disk(lab: Lab) -> Iterator[None]:
    """PostgreSQL's file system, more than half full."""
    lab.server("core").must("fallocate -l 450M /var/lib/postgresql/ballast")
    yield
    lab.server("core").must("rm /var/lib/postgresql/ballast")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("major") / "runs"


def test_a_disk_that_is_half_full_is_refused_before_anything_is_touched(
    lab: Lab, tmp_path: Path, full_disk: None
):
    code, said = run(lab, tmp_path / "runs", ANSWERS, client="full")
    assert code == 3
    assert "/var/lib/postgresql is less than half full (core and mailbox and edge)" in said
    assert lab.server("core").run("ls /var/lib/bmnb/full-major-update").returncode


def test_a_newer_release_of_4_has_to_come_first(lab: Lab, tmp_path: Path):
    """Here the repository has only that of 5, which a subscription that came too early shows."""
    subscribe(lab, "5")
    answers = dict(ANSWERS)
    code, said = run(lab, tmp_path / "runs", answers, client="early")
    answers |= accepted(said)
    try:
        code, said = run(lab, tmp_path / "runs", answers, client="early")
        assert code == 3
        assert "version 4 is at its latest release (core and mailbox and edge): bm-cli on core" in said
    finally:
        subscribe(lab, "4")
    code, said = run(lab, tmp_path / "runs", answers, client="early", through="latest-release-of-version-4")
    assert code == 0, said


def test_an_update_to_5_is_led_here_by_the_other_procedure(lab: Lab, tmp_path: Path):
    given = write_client(
        tmp_path / "runs", {**values(lab, tmp_path / "runs", version="5.1.2"), "client": "minor"}
    )
    code, said = finish(given, updating_bluemind.PROCEDURE)
    assert code == 3
    assert "bmnb new major-update" in said


def test_repairs_are_accepted_one_by_one_and_the_test_is_made_again(lab: Lab, runs: Path):
    core = lab.server("core")
    core.must(f"printf 'elasticsearch\\ncyrus-mails\\ncustom-settings\\n' > {INELIGIBLE}")
    answers = dict(ANSWERS)
    code, said = run(lab, runs, answers)
    if "accept-hardware" in said:
        answers |= accepted(said)
        code, said = run(lab, runs, answers)
    assert code == 3
    assert "bm-cli index coherency --all --run-consolidate --workers=1 all" in said
    assert set(accepted(said)) == {"repair-index", "repair-mailboxes"}
    assert "elasticsearch" in core.must(f"cat {INELIGIBLE}"), "nothing is run that nobody has accepted"

    answers |= accepted(said)
    code, said = run(lab, runs, answers)
    assert code == 3
    assert "is eligible for version 5 (core): Custom settings (100 %): ERROR" in said
    assert core.must(f"cat {INELIGIBLE}") == "custom-settings\n", "the others are repaired"

    core.must(f": > {INELIGIBLE}")
    code, said = run(lab, runs, answers)
    assert code == 3
    assert "answer `subscription-5:" in said, "what a person mended is seen by the test that is made anew"


def test_a_package_that_fails_leaves_the_way_back_open(lab: Lab, runs: Path):
    subscribe(lab, "5")
    mailbox = lab.server("mailbox")
    mailbox.must("systemctl mask --runtime bm-node")
    answers = {**ANSWERS, "subscription-5": TOLD}
    code, said = run(lab, runs, answers)
    answers |= accepted(said)
    code, said = run(lab, runs, answers)
    assert code == 1
    assert "Unit bm-node.service is masked" in said
    assert version(lab.server("core")) == NEW
    mailbox.must("systemctl unmask --runtime bm-node")

    folder = next(path.parent for path in runs.glob("*/journal.jsonl"))
    asked = subprocess.run([*BMNB, "rollback", str(folder)], capture_output=True, text=True, check=False)
    assert asked.returncode == 3
    assert "former-subscription" in asked.stdout + asked.stderr
    subscribe(lab, "4")
    told = subprocess.run(
        [*BMNB, "rollback", str(folder), "--answer", f"former-subscription={TOLD}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert {version(server) for server in platform(lab)} == {OLD}
    assert "bm-cyrus-imapd.service is running" in mailbox.must("bmctl status")
    assert lab.server("core").must("cat /etc/bm/local/bm-tika.ini") == "MEM=512\nDMEM=128\n"


def test_the_whole_update_from_4_to_5_begins_with_a_test_of_today(lab: Lab, runs: Path):
    core = lab.server("core")
    answers = dict(ANSWERS)
    for _ in range(5):
        code, said = run(lab, runs, answers, through="eligibility-made-anew")
        if code != 3:
            break
        answers |= accepted(said)
        if "answer `subscription-5:" in said:
            subscribe(lab, "5")
            answers["subscription-5"] = TOLD
    assert code == 0, said

    core.must("touch -d '2 days ago' /var/lib/bmnb/test-major-update/check-upgrade-5.status")
    code, said = run(lab, runs, answers)
    assert code == 3
    assert "The run goes back to “Eligibility test, again”" in said
    assert version(core) == OLD

    code, said = run(lab, runs, answers)
    assert code == 0, said
    assert {version(server) for server in platform(lab)} == {NEW}
    tested = [line for line in journal(runs) if line["event"] == "done" and line["title"] == TEST]
    assert len(tested) == 3, "at first, before the maintenance, and when that was of another day"
    assert set(core.must("cat /etc/bm/local/bm-tika.ini").split()) == {"MEM=2028", "DMEM=128"}
    [ended] = [
        line
        for line in journal(runs)
        if line["event"] == "done" and line["title"] == "hot upgrades have ended"
    ]
    assert ended["seen"] == "2 SUCCESS"
    assert MAILBOX in core.must("cat /var/spool/bm-lmtpd/received"), "core takes mail itself"
    assert core.run("test -e /etc/bm/pg.need.postupgrade").returncode == 1, (
        "PostgreSQL's own update was waited for"
    )
    assert "intranet" in lab.server("edge").must("ls /etc/nginx/sites-enabled")


TEST = "test whether the platform may be updated to 5"


def platform(lab: Lab) -> list[Server]:
    return [lab.server(name) for name in ("core", "mailbox", "edge")]
