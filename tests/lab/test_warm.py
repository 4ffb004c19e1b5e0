"""Before the night, on real servers: a pass every night, a test launch on the target, and a target that is held warm."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bmnb.bluemind.paths import TREES
from bmnb.lab import Lab
from bmnb.transfer import launch
from tests.lab.migration import BMNB, client_file, done, finish, journal, kill_all, start, wait_for

pytestmark = pytest.mark.lab

HOT = "hot-synchronization"
LAUNCH = "test-launch"
NEW = "/var/spool/sieve/came-{}"
STATE = f"""find {" ".join(TREES)} /etc -printf '%p %y %s %m %u %T@ %C@ %l\\n' | sort | sha256sum
systemctl list-units --state=active --no-legend --plain 'bm*' 'postfix*' 'postgresql*' | cut -d ' ' -f 1
runuser -u postgres -- psql -XAtc 'SELECT datname FROM pg_database ORDER BY 1'
for name in bj bj_bmnb_import; do runuser -u postgres -- psql -XAtd $name -c 'SELECT count(*), max(item_id) FROM t_mailbox'; done
ip -o address | grep -v ' link ' | awk '{{ print $2, $4 }}'; findmnt -rno TARGET | grep -v '^/run/' | sort; ls /run/netns 2> /dev/null; true"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("warm") / "runs"


@pytest.fixture
def client(lab: Lab, runs: Path) -> Path:
    return write_settings(lab, runs)


@pytest.fixture
def launching(lab: Lab, runs: Path) -> Path:
    return write_settings(lab, runs, test_launch=True)


def write_settings(lab: Lab, runs: Path, **more: object) -> Path:
    return client_file(lab, runs, engine="fast", restart_target="never", through=HOT, **more)


def passes(runs: Path) -> list[str]:
    done = [line["step"] for line in journal(runs) if line["event"] == "step done"]
    return [step for step in done if step.startswith(HOT)]


def every_night() -> list[str]:
    """The options that docs/fleet.md has for every night."""
    page = (Path(__file__).parents[2] / "docs" / "fleet.md").read_text()
    line = next(one for one in page.splitlines() if one.startswith("ExecStart="))
    return line.partition("clients/ ")[2].split()


def test_what_came_since_the_first_night_is_on_the_target_after_the_second(
    lab: Lab, runs: Path, client: Path
):
    for night in (1, 2):
        lab.origin.must(f"date > {NEW.format(night)}")
        command = [*BMNB, "fleet", "run", "changing-distributions", str(client), "--runs", str(runs)]
        ended = subprocess.run([*command, *every_night()], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert len(passes(runs)) == night
        assert lab.target.must(f"cat {NEW.format(night)}") == lab.origin.must(f"cat {NEW.format(night)}")


def test_a_mailbox_that_cannot_be_opened_is_named_and_the_launch_is_ended(
    lab: Lab, runs: Path, launching: Path
):
    find = "find /var/spool/cyrus/data -path '*/domain/*/user/*' -type d -prune -print -quit"
    found = lab.target.must(find).strip()
    lab.target.must(f"mv '{found}' /var/lib/aside")
    with as_it_was(lab):
        code, said = finish(launching)
    lab.target.must(f"mv /var/lib/aside '{found}'")
    assert code == 3, said
    login = Path(found).name.replace("^", ".")
    assert f"{login}@" in said
    assert "accept-launch: " in said


def test_after_a_kill_the_target_is_soon_as_it_was_and_was_cut_off_all_the_time(
    lab: Lab, runs: Path, launching: Path
):
    with as_it_was(lab):
        running = start(launching)
        wait_until_it_runs(lab, running, runs)
        kill_all(running)
        assert lab.target.must(f"{launch.strangers('/var/lib/bmnb/test')}").strip() == ""
        address = lab.target.must(launch.own_address(lab.origin.address)).strip()
        seen = lab.origin.must(f"( {launch.listening()} ) <<< {address}")
        assert seen.strip() == ""


def test_after_a_restart_of_the_target_nothing_runs_and_the_next_launch_removes_what_is_left(
    lab: Lab, runs: Path, launching: Path
):
    running = start(launching)
    wait_until_it_runs(lab, running, runs)
    lab.target.restart()
    running.communicate(timeout=600)
    assert "is running" not in lab.target.must("bmctl status | grep -v bm-nginx")


def test_every_account_is_looked_at_and_start_and_stop_are_timed(lab: Lab, runs: Path, launching: Path):
    before = lab.origin.must("systemctl show -p ActiveEnterTimestamp bm-core bm-cyrus-imapd postgresql")
    with as_it_was(lab):
        code, said = finish(launching)
        assert code == 0, said
    [looked] = done(runs, "every account can be looked at by IMAP", LAUNCH)
    users = lab.origin.must(
        'runuser -u postgres -- psql -XAtd bj -c "SELECT count(*) FROM t_domain_user WHERE NOT archived AND NOT system"'
    )
    assert len(looked["items"]) == int(users)
    assert any(item["messages"] > 0 for item in looked["items"])
    assert all(done(runs, f"{verb} BlueMind", LAUNCH)[-1]["row"] for verb in ("start", "stop"))
    assert (
        lab.origin.must("systemctl show -p ActiveEnterTimestamp bm-core bm-cyrus-imapd postgresql") == before
    )


def test_passes_go_on_after_a_launch_follow_one_another_survive_a_kill_and_end_with_an_interrupt(
    lab: Lab, runs: Path, client: Path
):
    before = len(passes(runs))
    held = start(client, "--every", "1s")
    wait_for_passes(runs, held, before + 1)
    wait_for_begun(runs, held, before + 2)
    kill_all(held)
    lab.origin.must(f"date > {NEW.format('later')}")
    held = start(client, "--every", "1s")
    wait_for_passes(runs, held, before + 3)
    held.send_signal(signal.SIGINT)
    said, _ = held.communicate(timeout=300)
    assert held.returncode == 3, said
    assert "expected" in said or "no forecast yet" in said
    assert lab.target.must(f"cat {NEW.format('later')}") == lab.origin.must(f"cat {NEW.format('later')}")
    told = [line for line in journal(runs) if line["event"] == "held warm"]
    assert all(line["longest"] for line in told if line["due"])
    assert "MB/s to its disks" in json.dumps(journal(runs))
    rows = [
        line for line in journal(runs) if line["event"] == "done" and line["title"].startswith("rows of bj")
    ]
    assert rows[-1]["row"]["restored"] == 0


def test_a_budget_holds_the_cut_over_back(lab: Lab, runs: Path, client: Path):
    held = start(client, "--budget", "10m", "--through", "cold-synchronization")
    said, _ = held.communicate(timeout=300)
    assert held.returncode == 3, said
    assert "the downtime's budget is 10m" in said
    assert "bm-core is running" in lab.origin.must("bmctl status").replace(".service", "")


def wait_for_passes(runs: Path, held: "subprocess.Popen[str]", number: int) -> None:
    while len(passes(runs)) < number:
        assert held.poll() is None, held.communicate()[0]
        time.sleep(0.2)


def wait_for_begun(runs: Path, held: "subprocess.Popen[str]", number: int) -> None:
    label = f"{HOT}.{number}"
    while not any(line["event"] == "step started" and line["step"] == label for line in journal(runs)):
        assert held.poll() is None, held.communicate()[0]
        time.sleep(0.2)


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
    wait_for(running, runs, "start BlueMind", LAUNCH)
    while lab.target.run("systemctl is-active --quiet bm-core").returncode != 0:
        assert running.poll() is None, running.communicate()[0]
        time.sleep(0.2)
