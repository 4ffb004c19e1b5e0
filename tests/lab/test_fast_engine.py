"""A whole distribution change with the fast engine, killed and restarted on its way: nothing is lost."""

from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from tests.lab.migration import client_file, finish, journal, kill_all, start, wait_for

pytestmark = pytest.mark.lab

OVERLOOKED = "/var/spool/bm-docs/rewritten within the second"


def done(runs: Path, title: str, step: str) -> list[dict]:
    return [
        line
        for line in journal(runs)
        if line["event"] == "done" and line["title"] == title and line["action"].startswith(step)
    ]


def test_killed_and_restarted_in_every_pass_it_comes_to_the_same_end(lab: Lab, tmp_path: Path):
    runs = tmp_path / "runs"
    # a second hot pass, as a rehearsal of the cold one
    client = client_file(lab, runs, engine="fast", hot_passes=2)
    lab.origin.must(f"printf one > '{OVERLOOKED}'; touch -d '2026-03-01 10:00:00.1' '{OVERLOOKED}'")
    lab.target.must("printf stray > /var/spool/bm-docs/stray")

    killed = start(client)
    wait_for(killed, runs, "all trees", "hot-synchronization.1")
    kill_all(killed)

    restarted = start(client)
    wait_for(restarted, runs, "rows of bj-data, proven equal", "hot-synchronization.1")
    lab.target.run("systemctl reboot --force --force")
    said, _ = restarted.communicate(timeout=300)
    lab.target.wait()
    assert restarted.returncode == 1, said
    assert "the server restarted" in said

    code, said = finish(client_file(lab, runs, engine="fast", hot_passes=2, through="hot-synchronization"))
    assert code == 0, said
    rehearsed = done(runs, "rows of bj-data, proven equal", "hot-synchronization.2")[-1]["row"]
    assert rehearsed["restored"] == 0
    assert 0 < rehearsed["carried"] < rehearsed["rows"] / 10
    lab.origin.must(f"printf two > '{OVERLOOKED}'; touch -d '2026-03-01 10:00:00.1' '{OVERLOOKED}'")

    killed = start(client)
    wait_for(killed, runs, "rows of bj-data, proven equal", "cold-synchronization")
    kill_all(killed)

    code, said = finish(client)
    assert code == 0, said
    assert unexpected(lab) == []
    assert lab.target.must(f"cat '{OVERLOOKED}'") == "two"
    moved = done(runs, "what changed in the trees", "cold-synchronization")[-1]["row"]
    assert 0 < moved["transferred"] < moved["files"] / 10
