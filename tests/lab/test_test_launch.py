"""A test launch: BlueMind runs on the target with the client's data, nobody sees it, and the target is as it was."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bmnb.bluemind.paths import TREES
from bmnb.lab import Lab
from bmnb.transfer import launch
from tests.lab.migration import client_file, done, finish, journal, kill_all, start, wait_for

pytestmark = pytest.mark.lab

STEP = "test-launch"
HOT = "hot-synchronization"
STATE = f"""find {" ".join(TREES)} /etc -printf '%p %y %s %m %u %T@ %C@ %l\\n' | sort | sha256sum
systemctl list-units --state=active --no-legend --plain 'bm*' 'postfix*' 'postgresql*' | cut -d ' ' -f 1
runuser -u postgres -- psql -XAtc 'SELECT datname FROM pg_database ORDER BY 1'
for name in bj bj_bmnb_import; do runuser -u postgres -- psql -XAtd $name -c 'SELECT count(*), max(item_id) FROM t_mailbox'; done
ip -o address | grep -v ' link ' | awk '{{ print $2, $4 }}'; findmnt -rno TARGET | grep -v '^/run/' | sort; ls /run/netns 2> /dev/null; true"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("launch") / "runs"


@pytest.fixture(scope="module", autouse=True)
def copied(lab: Lab, runs: Path) -> None:
    code, said = finish(client(lab, runs, test_launch=False))
    assert code == 0, said


def client(lab: Lab, runs: Path, **more: object) -> Path:
    settings = {"engine": "fast", "restart_target": "never", "through": HOT, "test_launch": True}
    return client_file(lab, runs, **{**settings, **more})


def state(lab: Lab) -> str:
    return str(lab.target.must(STATE))


@contextmanager
def as_it_was(lab: Lab) -> Iterator[None]:
    """In the end the target is as it was, and nothing of a launch is left; that may take a minute by itself."""
    before = state(lab)
    yield
    while told := lab.target.must(launch.left()).strip():
        assert told
        time.sleep(1)
    assert state(lab) == before


def wait_until_it_runs(lab: Lab, running: "subprocess.Popen[str]", runs: Path) -> None:
    wait_for(running, runs, "start BlueMind", STEP)
    while lab.target.run("systemctl is-active --quiet bm-core").returncode != 0:
        assert running.poll() is None, running.communicate()[0]
        time.sleep(0.2)


def test_a_mailbox_that_cannot_be_opened_is_named_and_the_launch_is_ended(lab: Lab, runs: Path):
    found = lab.target.must(
        "find /var/spool/cyrus -path '*/domain/*/user/*' -type d -prune -print -quit"
    ).strip()
    lab.target.must(f"mv '{found}' /var/lib/aside")
    with as_it_was(lab):
        code, said = finish(client(lab, runs))
    lab.target.must(f"mv /var/lib/aside '{found}'")
    assert code == 3, said
    assert f"{Path(found).name}@" in said
    assert "accept-launch: " in said


def test_after_a_kill_the_target_is_soon_as_it_was_and_was_cut_off_all_the_time(lab: Lab, runs: Path):
    with as_it_was(lab):
        running = start(client(lab, runs))
        wait_until_it_runs(lab, running, runs)
        kill_all(running)
        assert lab.target.must(f"{launch.strangers('/var/lib/bmnb/test')}").strip() == ""
        address = lab.target.must(launch.own_address(lab.origin.address)).strip()
        seen = lab.origin.must(f"( {launch.listening()} ) <<< {address}")
        assert seen.strip() == ""


def test_after_a_restart_of_the_target_nothing_runs_and_the_next_launch_removes_what_is_left(
    lab: Lab, runs: Path
):
    running = start(client(lab, runs))
    wait_until_it_runs(lab, running, runs)
    lab.target.restart()
    running.communicate(timeout=600)
    assert "is running" not in lab.target.must("bmctl status | grep -v bm-nginx")


def test_every_account_is_looked_at_start_and_stop_are_timed_and_the_passes_go_on(lab: Lab, runs: Path):
    before = lab.origin.must("systemctl show -p ActiveEnterTimestamp bm-core bm-cyrus-imapd postgresql")
    with as_it_was(lab):
        code, said = finish(client(lab, runs))
        assert code == 0, said
    [looked] = done(runs, "every account can be looked at by IMAP", STEP)
    users = lab.origin.must(
        'runuser -u postgres -- psql -XAtd bj -c "SELECT count(*) FROM t_domain_user WHERE NOT archived AND NOT system"'
    )
    assert len(looked["items"]) == int(users)
    assert any(item["messages"] > 0 for item in looked["items"])
    assert all(done(runs, f"{verb} BlueMind", STEP)[-1]["row"] for verb in ("start", "stop"))
    assert (
        lab.origin.must("systemctl show -p ActiveEnterTimestamp bm-core bm-cyrus-imapd postgresql") == before
    )
    code, said = finish(client(lab, runs, hot_passes=2))
    assert code == 0, said
    rows = [
        line for line in journal(runs) if line["event"] == "done" and line["title"].startswith("rows of bj")
    ]
    assert rows[-1]["row"]["restored"] == 0
