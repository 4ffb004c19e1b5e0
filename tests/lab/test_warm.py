"""Every night one more pass, and a target that is held warm, on real servers."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from bmnb.lab import Lab
from tests.lab.migration import BMNB, client_file, journal, kill_all, start

pytestmark = pytest.mark.lab

HOT = "hot-synchronization"
NEW = "/var/spool/sieve/came-{}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("warm") / "runs"


@pytest.fixture(scope="module")
def client(lab: Lab, runs: Path) -> Path:
    return client_file(lab, runs, engine="fast", restart_target="never", through=HOT)


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


def test_passes_follow_one_another_survive_a_kill_and_end_with_an_interrupt(
    lab: Lab, runs: Path, client: Path
):
    before = len(passes(runs))
    held = start(client, "--every", "1s")
    wait_for_passes(runs, held, before + 1)
    wait_for_begun(runs, held, before + 2)
    kill_all(held)
    lab.origin.must(f"date > {NEW.format('later')}")
    held = start(client, "--every", "1s")
    wait_for_passes(runs, held, before + 4)
    held.send_signal(signal.SIGINT)
    said, _ = held.communicate(timeout=300)
    assert held.returncode == 3, said
    assert "expected" in said or "no forecast yet" in said
    assert lab.target.must(f"cat {NEW.format('later')}") == lab.origin.must(f"cat {NEW.format('later')}")
    told = [line for line in journal(runs) if line["event"] == "held warm"]
    assert all(line["longest"] for line in told if line["due"])
    assert "MB/s to its disks" in json.dumps(journal(runs))


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
